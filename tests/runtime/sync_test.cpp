#include "tandem/sync.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/run_fixture.h"

namespace tandem {
namespace {

using namespace std::chrono_literals;

class SyncTest : public test::OnProcessors {};
TANDEM_ON_PROCESSORS(SyncTest);

TEST_P(SyncTest, MutexExcludes) {
  run_clean([] {
    Mutex mutex;
    long unprotected = 0;
    WaitGroup group;
    for (int i = 0; i < 8; ++i)
      group.go([&] {
        for (int round = 0; round < 5000; ++round) {
          std::lock_guard guard(mutex);
          const long before = unprotected;
          if (round % 100 == 0) yield();
          unprotected = before + 1;
        }
      });
    group.wait();
    EXPECT_EQ(unprotected, 8 * 5000);
    EXPECT_TRUE(mutex.try_lock());
    EXPECT_FALSE(mutex.try_lock());
    mutex.unlock();
  });
}

// A goroutine that unlocks and locks again at once would keep others out for ever but for starvation mode.
TEST_P(SyncTest, MutexLetsAStarvingWaiterIn) {
  run_clean([] {
    Mutex mutex;
    std::atomic<bool> over{false};
    WaitGroup group;
    mutex.lock();
    group.go([&] {
      for (int i = 0; i < 5; ++i) std::lock_guard guard(mutex);
      over = true;
    });
    sleep_for(2ms);
    mutex.unlock();
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (!over && std::chrono::steady_clock::now() < end) {
      std::lock_guard guard(mutex);
      const auto hold = std::chrono::steady_clock::now() + 100us;
      while (std::chrono::steady_clock::now() < hold) safepoint();
    }
    EXPECT_TRUE(over);
    group.wait();
  });
}

// The last one out frees the memory, while the other one's unlock may still be on its way.
TEST_P(SyncTest, MutexAndWaitGroupMayBeDestroyedByTheLastUser) {
  run_clean([] {
    struct Shared {
      Mutex mutex;
      int users = 2;
    };
    for (int round = 0; round < 3000; ++round) {
      auto* shared = new Shared;
      auto leave = [shared] {
        shared->mutex.lock();
        const bool last = --shared->users == 0;
        shared->mutex.unlock();
        if (last) delete shared;
      };
      go(leave);
      leave();
      auto group = std::make_unique<WaitGroup>();
      group->go([] {});
      group->wait();
      group.reset();
      auto semaphore = std::make_unique<Semaphore>(0);
      go([&semaphore = *semaphore] { semaphore.release(); });
      semaphore->acquire();
      semaphore.reset();
    }
  });
}

TEST_P(SyncTest, SharedMutexAdmitsReadersTogetherAndWritersAlone) {
  run_clean([] {
    SharedMutex mutex;
    std::atomic<int> readers{0}, wrong{0};
    int value = 0;
    WaitGroup group;
    for (int i = 0; i < 6; ++i)
      group.go([&, i] {
        for (int round = 0; round < 500; ++round) {
          if (i < 2) {
            std::unique_lock lock(mutex);
            if (readers != 0) ++wrong;
            const int before = value;
            yield();
            value = before + 1;
          } else {
            std::shared_lock lock(mutex);
            ++readers;
            const int before = value;
            yield();
            if (value != before) ++wrong;
            --readers;
          }
        }
      });
    group.wait();
    EXPECT_EQ(value, 2 * 500);
    EXPECT_EQ(wrong, 0);
    Barrier meeting(2);  // in the lock, both of them
    for (int i = 0; i < 2; ++i)
      group.go([&] {
        std::shared_lock lock(mutex);
        meeting.wait();
      });
    group.wait();
    EXPECT_TRUE(mutex.try_lock_shared());
    EXPECT_TRUE(mutex.try_lock_shared());
    EXPECT_FALSE(mutex.try_lock());
    mutex.unlock_shared();
    mutex.unlock_shared();
    EXPECT_TRUE(mutex.try_lock());
    EXPECT_FALSE(mutex.try_lock_shared());
    mutex.unlock();
  });
}

TEST_P(SyncTest, AWaitingWriterKeepsNewReadersOut) {
  run_clean([] {
    SharedMutex mutex;
    std::atomic<bool> written{false};
    mutex.lock_shared();
    go([&] {
      std::unique_lock lock(mutex);
      written = true;
    });
    EXPECT_TRUE(test::eventually([&] {
      const bool admitted = mutex.try_lock_shared();
      if (admitted) mutex.unlock_shared();
      return !admitted;
    }));
    EXPECT_FALSE(written);
    mutex.unlock_shared();
    mutex.lock_shared();
    EXPECT_TRUE(written);
    mutex.unlock_shared();
  });
}

TEST_P(SyncTest, ConditionVariableWakesOneOrAll) {
  run_clean([] {
    Mutex mutex;
    ConditionVariable changed;
    int tokens = 0, waiting = 0, taken = 0;
    auto count = [&](int& value) {
      std::lock_guard guard(mutex);
      return value;
    };
    for (int i = 0; i < 10; ++i)
      go([&] {
        std::unique_lock lock(mutex);
        ++waiting;
        changed.wait(lock, [&] { return tokens > 0; });
        --tokens;
        ++taken;
      });
    EXPECT_TRUE(test::eventually([&] { return count(waiting) == 10; }));
    mutex.lock();
    tokens = 1;
    mutex.unlock();
    changed.notify_one();
    EXPECT_TRUE(test::eventually([&] { return count(taken) == 1; }));
    mutex.lock();
    tokens = 9;
    mutex.unlock();
    changed.notify_all();
    EXPECT_TRUE(test::eventually([&] { return count(taken) == 10; }));
  });
}

TEST_P(SyncTest, ConditionVariablePingPongMissesNothing) {
  run_clean([] {
    Mutex mutex;
    ConditionVariable changed;
    int turn = 0;
    auto play = [&](int me) {
      for (int round = 0; round < 5000; ++round) {
        std::unique_lock lock(mutex);
        while (turn != me) changed.wait(lock);
        turn = 1 - me;
        changed.notify_one();
      }
    };
    WaitGroup group;
    group.go([&] { play(1); });
    play(0);
    group.wait();
  });
}

TEST_P(SyncTest, ConditionVariableTimesOutNeverEarly) {
  run_clean([] {
    Mutex mutex;
    ConditionVariable never;
    std::unique_lock lock(mutex);
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(never.wait_for(lock, 3ms), std::cv_status::timeout);
    EXPECT_GE(std::chrono::steady_clock::now() - start, 3ms);
    EXPECT_TRUE(lock.owns_lock());
    EXPECT_FALSE(never.wait_for(lock, 1ms, [] { return false; }));
    EXPECT_TRUE(never.wait_for(lock, 1h, [] { return true; }));
    EXPECT_EQ(never.wait_until(lock, std::chrono::steady_clock::now() - 1s), std::cv_status::timeout);
  });
}

TEST_P(SyncTest, SemaphoreLimits) {
  run_clean([] {
    Semaphore permits(3);
    Barrier three(3);  // those inside leave by threes: so three there must be
    std::atomic<int> visits{0}, inside{0}, too_many{0};
    WaitGroup group;
    for (int i = 0; i < 20; ++i)
      group.go([&] {
        while (visits++ < 3000) {
          permits.acquire();
          if (++inside > 3) ++too_many;
          three.wait();
          --inside;
          permits.release();
        }
      });
    group.wait();
    EXPECT_EQ(too_many, 0);
    permits.acquire();
    permits.acquire();
    EXPECT_TRUE(permits.try_acquire());
    EXPECT_FALSE(permits.try_acquire());
    permits.release(2);
    EXPECT_TRUE(permits.try_acquire());
  });
}

TEST_P(SyncTest, OnceRunsOnceAndAgainAfterAnException) {
  run_clean([] {
    Once once;
    EXPECT_THROW(once.call([] { throw std::runtime_error("first"); }), std::runtime_error);
    std::atomic<int> runs{0}, early{0};
    WaitGroup group;
    for (int i = 0; i < 10; ++i)
      group.go([&] {
        once.call([&] {
          yield();
          ++runs;
        });
        if (runs != 1) ++early;
      });
    group.wait();
    EXPECT_EQ(runs, 1);
    EXPECT_EQ(early, 0);
  });
}

TEST_P(SyncTest, BarrierReleasesARoundTogether) {
  run_clean([] {
    Barrier barrier(4);
    std::atomic<int> arrived{0}, wrong{0}, last{0};
    WaitGroup group;
    for (int i = 0; i < 4; ++i)
      group.go([&] {
        for (int round = 1; round <= 200; ++round) {
          ++arrived;
          if (barrier.arrive_and_wait()) ++last;
          if (arrived < 4 * round) ++wrong;
          barrier.wait();
        }
      });
    group.wait();
    EXPECT_EQ(wrong, 0);
    EXPECT_EQ(last, 200);
  });
}

TEST_P(SyncTest, WaitGroupCallsDoneAfterTheCapturesAreDestroyed) {
  run_clean([] {
    for (int round = 0; round < 500; ++round) {
      WaitGroup group;
      auto token = std::make_shared<int>(1);
      for (int i = 0; i < 4; ++i) group.go([token] { yield(); });
      group.wait();
      EXPECT_EQ(token.use_count(), 1);
    }
    WaitGroup counted;
    counted.add(2);
    go([&] { counted.done(); });
    go([&] { counted.done(); });
    counted.wait();
    counted.wait();
  });
}

TEST_P(SyncTest, TheDestructorOfAWaitGroupWaitsForItsTasks) {
  run_clean([] {
    constexpr int kTasks = 20;
    int caught = 0;
    std::atomic<int> ended{0};
    try {
      WaitGroup group;
      group.add(5);  // what nobody counts off again is not waited for
      for (int i = 0; i < kTasks; ++i)
        group.go([&ended, i] {
          for (int turn = 0; turn <= i; ++turn) yield();
          ++ended;
        });
      throw 7;
    } catch (int number) {
      caught = number;
      EXPECT_EQ(ended, kTasks);
    }
    EXPECT_EQ(caught, 7);
  });
}

// The last task may be on its way out of the group when the destructor looks.
TEST_P(SyncTest, AWaitGroupMayBeLeftWhileItsLastTaskEnds) {
  run_clean([] {
    for (int round = 0; round < 3000; ++round) {
      auto group = std::make_unique<WaitGroup>();
      std::atomic<bool> ends{false};
      group->go([&ends] { ends = true; });
      while (!ends) yield();
      group.reset();
    }
  });
}

// Group and tasks are cancelled at the same time; the frame that they use must outlive them.
TEST_P(SyncTest, ACancelledFrameOutlivesTheTasksOfItsWaitGroup) {
  std::atomic<int> started{0}, ended_in_time{0};
  run_and_cancel([&] {
    for (int i = 0; i < 8; ++i)
      go([&] {
        std::atomic<bool> frame_left{false};
        struct Mark {
          std::atomic<bool>& left;
          ~Mark() { left = true; }
        } const mark{frame_left};
        Semaphore never(0);
        WaitGroup group;
        for (int task = 0; task < 4; ++task)
          group.go([&] {
            ++started;
            try {
              never.acquire();
            } catch (const Cancelled&) {
              const CancellationShield shield;
              for (int turn = 0; turn < 10; ++turn) yield();
              if (!frame_left) ++ended_in_time;
              throw;
            }
          });
        never.acquire();
      });
    while (started < 32) yield();
  });
  EXPECT_EQ(ended_in_time, 32);
}

TEST_P(SyncTest, EndOfRunCancelsWhatIsDocumentedToBe) {
  std::atomic<int> started{0}, cancelled{0}, not_cancelled{0};
  run_and_cancel([&] {
    static Mutex mutex;
    static Semaphore semaphore(0);
    static ConditionVariable condition;
    static WaitGroup never_done;
    never_done.add(1);
    auto expect_cancelled = [&](auto wait) {
      go([&started, &cancelled, wait] {
        ++started;
        try {
          wait();
        } catch (const Cancelled&) {
          ++cancelled;
        }
      });
    };
    expect_cancelled([] { semaphore.acquire(); });
    expect_cancelled([] { never_done.wait(); });
    expect_cancelled([] { Barrier(2).wait(); });
    expect_cancelled([] {
      std::unique_lock lock(mutex);
      condition.wait(lock);
    });
    expect_cancelled([] {
      std::unique_lock lock(mutex);
      condition.wait_for(lock, 1h);
    });
    // The locking of a mutex is not cancelled: it is granted, also while the run ends.
    static Mutex held;
    go([&] {
      std::lock_guard guard(held);
      ++started;
      try {
        sleep_for(1h);
      } catch (const Cancelled&) {
      }
    });
    EXPECT_TRUE(test::eventually([&] { return started == 6; }));
    go([&] {
      yield();
      ++started;
      std::lock_guard guard(held);
      ++not_cancelled;
    });
    EXPECT_TRUE(test::eventually([&] { return started == 7; }));
  });
  EXPECT_EQ(cancelled, 5);
  EXPECT_EQ(not_cancelled, 1);
}

// wait() is cancelled while its goroutines are still using this stack: it must not throw before they have
// ended.
TEST_P(SyncTest, CancelledWaitOutlastsItsGoroutines) {
  std::atomic<bool> started{false}, ok{false};
  run_and_cancel([&] {
    go([&] {
      int on_stack = 1;
      std::atomic<bool> ended{false};
      WaitGroup group;
      group.go([&] {
        started = true;
        try {
          sleep_for(1h);
        } catch (const Cancelled&) {
          CancellationShield shield;
          sleep_for(3ms);
          on_stack = 2;
          ended = true;
        }
      });
      try {
        group.wait();
      } catch (const Cancelled&) {
        ok = ended && on_stack == 2;
        throw;
      }
    });
    EXPECT_TRUE(test::eventually([&] { return started.load(); }));
  });
  EXPECT_TRUE(ok);
}

using SyncDeathTest = testing::Test;

TEST(SyncDeathTest, MisuseIsAFatalErrorThatSaysSo) {
  const auto in_run = [](auto body) {
    Options options;
    options.processors = 1;
    tandem::run(options, body);
  };
  const testing::ExitedWithCode exits(2);
  EXPECT_EXIT(in_run([] { Mutex().unlock(); }), exits, "unlock of a mutex that is not locked .Mutex 0x");
  EXPECT_EXIT(in_run([] { SharedMutex().unlock(); }), exits, "not locked for writing .SharedMutex 0x");
  EXPECT_EXIT(in_run([] { SharedMutex().unlock_shared(); }), exits, "not locked for reading .SharedMutex 0x");
  EXPECT_EXIT(in_run([] { WaitGroup().done(); }), exits, "negative WaitGroup counter.*goroutine [0-9]+");
  EXPECT_EXIT(in_run([] { Semaphore(-1); }), exits, "negative number of permits");
  EXPECT_EXIT(in_run([] { Semaphore(0).release(-1); }), exits, "release of a negative number");
  EXPECT_EXIT(in_run([] { Barrier(0); }), exits, "at least one party");
}

}  // namespace
}  // namespace tandem
