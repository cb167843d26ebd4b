// A std::mutex that is held across a call that parks, which debug builds find; and what they must not take for that.
#include <tandem/tandem.h>

#include <dlfcn.h>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "runtime/context/sanitizers.h"
#include "runtime/seam/held_locks.h"

namespace {

using namespace std::chrono_literals;
using tandem::seam::HeldLocks;
using tandem::seam::kTracksHeldLocks;

std::mutex mutex;

struct ParkingCall {
  const char* name;
  void (*call)();    // parks, each time
  const char* wait;  // what the message says it waits for
};

void lock_what_is_locked() {
  static tandem::Mutex locked;
  tandem::go([] {
    locked.lock();
    tandem::sleep_for(10s);
  });
  while (locked.try_lock()) {
    locked.unlock();
    tandem::yield();
  }
  mutex.lock();
  locked.lock();
}

void read_from_nobody() {
  auto listener = tandem::net::TcpListener::bind("127.0.0.1:0");
  auto stream = tandem::net::TcpStream::connect(listener.local_endpoint().to_string(), 10s);
  std::array<std::byte, 1> byte;
  mutex.lock();
  stream.read(byte);
}

class CallsThatParkDeathTest : public testing::TestWithParam<ParkingCall> {};

TEST_P(CallsThatParkDeathTest, AMutexThatIsHeldAcrossACallThatParks) {
  if (!kTracksHeldLocks) GTEST_SKIP() << "only debug builds, without sanitizers, track what is held";
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  const std::string message =
      std::string("locks it here:(.|\n)*#0(.|\n)*parks here:(.|\n)*#0(.|\n)*fatal: a goroutine parks .") +
      GetParam().wait + ". while it holds the std::mutex 0x[0-9a-f]+, goroutine [0-9]+ culprit: .*" +
      "unlock it before, or use tandem::Mutex\n";
  EXPECT_EXIT(tandem::run([] {
                tandem::go(tandem::GoOptions{.name = "culprit"}, GetParam().call);
                tandem::sleep_for(10s);
              }),
              testing::ExitedWithCode(2), message);
}

INSTANTIATE_TEST_SUITE_P(All, CallsThatParkDeathTest,
                         testing::Values(ParkingCall{"Receive",
                                                     [] {
                                                       const std::lock_guard guard(mutex);
                                                       tandem::make_channel<int>()->receive();
                                                     },
                                                     "channel receive"},
                                         ParkingCall{"Send",
                                                     [] {
                                                       const std::lock_guard guard(mutex);
                                                       tandem::make_channel<int>()->send(1);
                                                     },
                                                     "channel send"},
                                         ParkingCall{"Select",
                                                     [] {
                                                       const std::lock_guard guard(mutex);
                                                       tandem::select(tandem::on_receive(tandem::make_channel<int>()));
                                                     },
                                                     "select"},
                                         ParkingCall{"Sleep",
                                                     [] {
                                                       const std::lock_guard guard(mutex);
                                                       tandem::sleep_for(1ms);
                                                     },
                                                     "sleep"},
                                         ParkingCall{"Yield",
                                                     [] {
                                                       const std::lock_guard guard(mutex);
                                                       tandem::yield();
                                                     },
                                                     "yield"},
                                         ParkingCall{"MutexLock", lock_what_is_locked, "mutex lock"},
                                         ParkingCall{"WaitGroup",
                                                     [] {
                                                       tandem::WaitGroup group;
                                                       group.add(1);
                                                       const std::lock_guard guard(mutex);
                                                       group.wait();
                                                     },
                                                     "wait group"},
                                         ParkingCall{"TaskGroup",
                                                     [] {
                                                       tandem::TaskGroup group;
                                                       group.go([] { tandem::sleep_for(10s); });
                                                       const std::lock_guard guard(mutex);
                                                       group.wait();
                                                     },
                                                     "task group"},
                                         ParkingCall{"Semaphore",
                                                     [] {
                                                       const std::lock_guard guard(mutex);
                                                       tandem::Semaphore(0).acquire();
                                                     },
                                                     "semaphore acquire"},
                                         ParkingCall{"ConditionVariable",
                                                     [] {
                                                       tandem::Mutex waiting;
                                                       tandem::ConditionVariable condition;
                                                       std::unique_lock lock(waiting);
                                                       const std::lock_guard guard(mutex);
                                                       condition.wait(lock);
                                                     },
                                                     "condition variable"},
                                         ParkingCall{"NetRead", read_from_nobody, "network read"},
                                         ParkingCall{"Collect",
                                                     [] {
                                                       const std::lock_guard guard(mutex);
                                                       tandem::collect();
                                                     },
                                                     "collection"}),
                         [](const auto& call) { return call.param.name; });

TEST(HeldLocksDeathTest, ABlockingCallThatHasLostItsProcessorParks) {
  if (!kTracksHeldLocks) GTEST_SKIP() << "only debug builds, without sanitizers, track what is held";
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_EXIT(tandem::run({.processors = 1},
                          [] {
                            std::atomic<bool> other_runs{false};
                            tandem::go([&] {
                              other_runs = true;
                              for (;;) tandem::safepoint();
                            });
                            const std::lock_guard guard(mutex);
                            tandem::blocking([&] {
                              while (!other_runs) std::this_thread::sleep_for(1ms);
                            });
                          }),
              testing::ExitedWithCode(2), "parks .end of a blocking call. while it holds the std::mutex");
}

struct Kind {
  const char* name;
  void (*lock)();
  const char* message;
};

class KindsOfLocksDeathTest : public testing::TestWithParam<Kind> {};

TEST_P(KindsOfLocksDeathTest, AreAllFound) {
  if (!kTracksHeldLocks) GTEST_SKIP() << "only debug builds, without sanitizers, track what is held";
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_EXIT(tandem::run([] {
                GetParam().lock();
                tandem::yield();
              }),
              testing::ExitedWithCode(2), GetParam().message);
}

constexpr const char* kMutexMessage = "while it holds the std::mutex 0x.*use tandem::Mutex\n";
constexpr const char* kSharedMutexMessage = "while it holds the std::shared_mutex 0x.*use tandem::SharedMutex\n";

std::recursive_mutex recursive;
std::timed_mutex timed;
std::shared_mutex shared;
std::shared_timed_mutex shared_timed;

INSTANTIATE_TEST_SUITE_P(
    All, KindsOfLocksDeathTest,
    testing::Values(Kind{"TryLock", [] { ASSERT_TRUE(mutex.try_lock()); }, kMutexMessage},
                    Kind{"Recursive",
                         [] {
                           recursive.lock();
                           recursive.lock();
                           recursive.unlock();
                         },
                         kMutexMessage},
                    Kind{"TimedFor", [] { ASSERT_TRUE(timed.try_lock_for(1s)); }, kMutexMessage},
                    Kind{"TimedUntil", [] { ASSERT_TRUE(timed.try_lock_until(std::chrono::system_clock::now() + 1s)); },
                         kMutexMessage},
                    Kind{"Writer", [] { shared.lock(); }, kSharedMutexMessage},
                    Kind{"TryWriter", [] { ASSERT_TRUE(shared.try_lock()); }, kSharedMutexMessage},
                    Kind{"Reader", [] { shared.lock_shared(); }, kSharedMutexMessage},
                    Kind{"TryReader", [] { ASSERT_TRUE(shared.try_lock_shared()); }, kSharedMutexMessage},
                    Kind{"TimedWriter", [] { ASSERT_TRUE(shared_timed.try_lock_for(1s)); }, kSharedMutexMessage},
                    Kind{"TimedReader", [] { ASSERT_TRUE(shared_timed.try_lock_shared_for(1s)); },
                         kSharedMutexMessage}),
    [](const auto& kind) { return kind.param.name; });

// The rest holds in every build.

TEST(HeldLocks, WhatIsReleasedBeforeEveryParkIsFine) {
  tandem::run([] {
    for (int i = 0; i < 100; ++i) {
      {
        const std::scoped_lock guard(mutex, timed, recursive);
        const std::lock_guard again(recursive);
        const std::shared_lock reader(shared);  // more than are tracked
      }
      EXPECT_TRUE(mutex.try_lock());
      mutex.unlock();
      tandem::yield();
      tandem::sleep_for(1us);
    }
  });
}

TEST(HeldLocks, UnlockingInTheOrderOfLockingIsFine) {
  tandem::run([] {
    mutex.lock();
    recursive.lock();
    timed.lock();
    mutex.unlock();
    recursive.unlock();
    timed.unlock();
    tandem::yield();
  });
}

TEST(HeldLocks, AnAttemptThatFailsHoldsNothing) {
  tandem::run([] {
    std::atomic<bool> locked{false}, over{false};
    std::thread holder([&] {
      const std::scoped_lock guard(mutex, timed, shared);
      locked = true;
      while (!over) std::this_thread::sleep_for(1ms);
    });
    while (!locked) tandem::yield();
    EXPECT_FALSE(mutex.try_lock());
    EXPECT_FALSE(timed.try_lock_for(1ms));
    EXPECT_FALSE(shared.try_lock());
    EXPECT_FALSE(shared.try_lock_shared());
    tandem::yield();
    over = true;
    tandem::blocking([&] { holder.join(); });
  });
}

TEST(HeldLocks, WhatAForeignThreadHoldsIsItsOwn) {
  const std::lock_guard around_the_run(shared);
  tandem::run([] {
    auto channel = tandem::make_channel<int>();
    tandem::Persistent<tandem::Channel<int>> shared_channel = channel;
    const tandem::ExternalWaker waker;
    std::thread foreign([&] {
      const std::lock_guard guard(mutex);
      EXPECT_TRUE(tandem::post([=] { shared_channel->send(7); }));
      std::this_thread::sleep_for(1ms);
    });
    EXPECT_EQ(channel->receive(), 7);
    tandem::blocking([&] { foreign.join(); });
  });
}

TEST(HeldLocks, ConditionVariablesOfThreadsAndOfBlockingCallsWork) {
  tandem::run([] {
    std::condition_variable changed;
    int turn = 0;
    const auto take_turns = [&](int mine) {
      for (int i = 0; i < 50; ++i) {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return turn % 2 == mine; });
        ++turn;
        changed.notify_all();
      }
    };
    std::thread foreign([&] { take_turns(0); });
    tandem::blocking([&] { take_turns(1); });
    tandem::blocking([&] { foreign.join(); });
    EXPECT_EQ(turn, 100);
    tandem::yield();
  });
}

TEST(HeldLocks, PollsAndAllocationsAreNoCallsThatPark) {
  struct Node {
    tandem::Member<Node> next;
    void trace(tandem::Visitor& visit) const { visit(next); }
  };
  tandem::run({.processors = 1, .collect_every = 1, .yield_every_poll = true}, [] {
    std::atomic<int> turns{0};
    tandem::WaitGroup group;
    group.go([&] {
      for (int i = 0; i < 100; ++i) {
        ++turns;
        tandem::yield();
      }
    });
    {
      const std::lock_guard guard(mutex);  // nobody else wants it
      tandem::Local<Node> list;
      for (int i = 0; i < 1000; ++i) {
        list = tandem::make<Node>(list);
        tandem::safepoint();
      }
      EXPECT_GT(turns, 0) << "no poll has preempted: nothing was tested";
    }
    group.wait();
  });
}

TEST(HeldLocks, AGoroutineInheritsNothingFromAnotherThatHadItsDescriptor) {
  tandem::run({.processors = 1}, [] {
    static std::mutex abandoned[100];  // for good: a second run of this test finds them locked
    for (std::mutex& each : abandoned) {
      tandem::WaitGroup group;
      group.go([&] { static_cast<void>(each.try_lock()); });
      group.wait();
      group.go([] { tandem::yield(); });
      group.wait();
    }
  });
}

TEST(HeldLocks, OnlyDebugBuildsTakeThePlaceOfTheCLibrarysFunctions) {
  if (tandem::context::kFibersAreAnnounced) GTEST_SKIP() << "the sanitizer takes its place";
  for (const char* name : {"pthread_mutex_lock", "pthread_mutex_unlock", "pthread_rwlock_rdlock"}) {
    Dl_info info{};
    ASSERT_NE(::dladdr(::dlsym(RTLD_DEFAULT, name), &info), 0);
    EXPECT_EQ(std::string(info.dli_fname).find("libc.so") == std::string::npos, kTracksHeldLocks) << info.dli_fname;
  }
}

}  // namespace
