// run(): results, exceptions, cancellation of what is left, and that it can be called again.
#include <tandem/tandem.h>

#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <dirent.h>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using tandem::Options;

int seven() { return 7; }

TEST(Run, ReturnsWhatMainReturns) {
  EXPECT_EQ(tandem::run([] { return 41; }), 41);
  EXPECT_EQ(tandem::run([] {}), 0);
  EXPECT_EQ(tandem::run(seven), 7);
  EXPECT_EQ(tandem::run(&seven), 7);
  EXPECT_EQ(tandem::run(Options{.processors = 1}, [] { return true; }), 1);
}

TEST(Run, TakesMutableAndMoveOnlyClosures) {
  int calls = 0;
  EXPECT_EQ(tandem::run([&calls, value = std::make_unique<int>(5)]() mutable { return ++*value + calls++; }), 6);
  EXPECT_EQ(calls, 1);
  auto kept = [count = 0]() mutable { return ++count; };
  EXPECT_EQ(tandem::run(kept), 1);
  EXPECT_EQ(tandem::run(kept), 2) << "an lvalue is run in place, not copied";
}

TEST(Run, MainRunsAsAGoroutineOnAStackOfItsOwn) {
  EXPECT_FALSE(tandem::detail::current_goroutine());
  tandem::run([] {
    EXPECT_TRUE(tandem::detail::current_goroutine());
    EXPECT_NE(tandem::this_goroutine::id(), 0u);
  });
  EXPECT_FALSE(tandem::detail::current_goroutine());
}

TEST(Run, AnExceptionThatLeavesMainLeavesRun) {
  try {
    tandem::run([]() -> int { throw std::out_of_range("seventeen"); });
    ADD_FAILURE() << "run returned";
  } catch (const std::out_of_range& error) {
    EXPECT_STREQ(error.what(), "seventeen");
  }
  EXPECT_EQ(tandem::run([] { return 3; }), 3) << "and run can be called again";
}

TEST(Run, CanBeCalledManyTimes) {
  for (const std::uint32_t processors : {1u, 2u, 8u, 3u})
    for (int round = 0; round < 10; ++round) {
      std::atomic<int> ran{0};
      tandem::run(Options{.processors = processors}, [&] {
        tandem::WaitGroup group;
        for (int index = 0; index < 20; ++index) group.go([&] { ++ran; });
        group.wait();
      });
      ASSERT_EQ(ran, 20);
    }
}

TEST(Run, NestedIsALogicError) {
  tandem::run([] {
    EXPECT_THROW(tandem::run([] {}), std::logic_error);
    tandem::WaitGroup group;
    group.go([] { EXPECT_THROW(tandem::run([] {}), std::logic_error); });
    group.wait();
  });
}

TEST(Run, ConcurrentIsALogicError) {
  tandem::run([] {
    std::atomic<bool> refused{false};
    std::thread other([&] {
      try {
        tandem::run([] {});
      } catch (const std::logic_error&) {
        refused = true;
      }
    });
    tandem::blocking([&] { other.join(); });
    EXPECT_TRUE(refused);
  });
}

TEST(Run, TheCallingThreadIsOneOfTheWorkers) {
  const std::thread::id caller = std::this_thread::get_id();
  bool same = false;
  tandem::run(Options{.processors = 1}, [&] { same = std::this_thread::get_id() == caller; });
  EXPECT_TRUE(same);
}

struct CountsItself {
  explicit CountsItself(std::atomic<int>& counter) : counter_(&counter) {}
  CountsItself(CountsItself&& other) noexcept : counter_(std::exchange(other.counter_, nullptr)) {}
  ~CountsItself() {
    if (counter_ != nullptr) ++*counter_;
  }
  std::atomic<int>* counter_;
};

TEST(Run, WhatIsLeftIsCancelledAndItsDestructorsRun) {
  std::atomic<int> destroyed{0}, cancelled{0};
  tandem::run([&] {
    auto never = tandem::make_channel<int>();
    tandem::WaitGroup started;
    for (int index = 0; index < 10; ++index) {
      started.add(1);
      tandem::go([&, never] {
        CountsItself local(destroyed);
        started.done();
        try {
          never->receive();
        } catch (const tandem::Cancelled&) {
          ++cancelled;
          throw;
        }
      });
    }
    started.wait();
  });
  EXPECT_EQ(cancelled, 10);
  EXPECT_EQ(destroyed, 10);
}

TEST(Run, OneThatSwallowsCancelledIsThrownItAgain) {
  int thrown = 0;
  tandem::run(Options{.processors = 1}, [&] {
    tandem::go([&] {
      for (int attempt = 0; attempt < 3; ++attempt) try {
          tandem::sleep_for(1h);
        } catch (const tandem::Cancelled&) {
          ++thrown;
        }
    });
    tandem::yield();
  });
  EXPECT_EQ(thrown, 3);
}

TEST(Run, AClosureThatNeverRanIsDestroyed) {
  std::atomic<int> destroyed{0};
  bool ran = false;
  tandem::run(Options{.processors = 1}, [&] { tandem::go([&ran, guard = CountsItself(destroyed)] { ran = true; }); });
  EXPECT_EQ(destroyed, 1);
  EXPECT_FALSE(ran);
}

struct Noisy {
  std::shared_ptr<std::atomic<int>> counter;
  explicit Noisy(std::shared_ptr<std::atomic<int>> shared) : counter(std::move(shared)) {}
  ~Noisy() { ++*counter; }
  void trace(tandem::Visitor&) const {}
};

TEST(Run, DestructorsOfManagedObjectsHaveRunWhenItReturns) {
  const auto counter = std::make_shared<std::atomic<int>>(0);
  tandem::run([&] {
    for (int index = 0; index < 1000; ++index) (void)tandem::make<Noisy>(counter);
  });
  EXPECT_EQ(*counter, 1000);
  EXPECT_EQ(counter.use_count(), 1) << "none of them is left with its own reference";
}

int open_descriptors() {
  int count = 0;
  ::DIR* directory = ::opendir("/proc/self/fd");
  while (::readdir(directory) != nullptr) ++count;
  ::closedir(directory);
  return count;
}

TEST(Run, LeavesNoDescriptorsBehind) {
  tandem::run([] {});
  const int before = open_descriptors();
  for (int round = 0; round < 5; ++round) tandem::run([] { tandem::sleep_for(1ms); });
  EXPECT_EQ(open_descriptors(), before);
}

TEST(RunDeathTest, OneThatNeverBlocksIsReportedAndEndsTheProcess) {
  EXPECT_EXIT(tandem::run(Options{.processors = 2, .shutdown_grace = 50ms},
                          [] {
                            std::atomic<bool> started{false};
                            tandem::go(tandem::GoOptions{.name = "stubborn"}, [&] {
                              started = true;
                              for (volatile bool forever = true; forever;) tandem::safepoint();
                            });
                            while (!started) tandem::yield();
                          }),
              testing::ExitedWithCode(2), "stubborn");
}

TEST(Run, WithEachCollectorAndStop) {
  for (const auto collector : {Options::Collector::concurrent, Options::Collector::none})
    for (const auto stop : {Options::Stop::ragged, Options::Stop::stop_the_world}) {
      Options options;
      options.collector = collector;
      options.stop = stop;
      EXPECT_EQ(tandem::run(options, [] { return *tandem::make<int>(17); }), 17);
    }
}

}  // namespace
