// What Go's sync/mutex_test.go and sync/rwmutex_test.go check.
#include "tests/go/go_test.h"

#include <mutex>
#include <shared_mutex>

namespace tandem {
namespace {

using namespace test;

class GoMutex : public GoTest {};
TANDEM_ON_PROCESSORS(GoMutex);

TEST_P(GoMutex, ASemaphoreOfOneExcludes) {
  run_clean([] {
    const int rounds = scaled(1000);
    Semaphore semaphore(1);
    int unprotected = 0;
    WaitGroup group;
    for (int i = 0; i < 10; ++i)
      group.go([&] {
        for (int round = 0; round < rounds; ++round) {
          semaphore.acquire();
          ++unprotected;
          semaphore.release();
        }
      });
    group.wait();
    EXPECT_EQ(unprotected, 10 * rounds);
  });
}

TEST_P(GoMutex, LockAndTryLockExclude) {
  run_clean([] {
    Mutex mutex;
    mutex.lock();
    EXPECT_FALSE(mutex.try_lock());
    mutex.unlock();
    EXPECT_TRUE(mutex.try_lock());
    mutex.unlock();

    const int rounds = scaled(1000);
    int unprotected = 0;
    std::atomic<int> expected{0};
    WaitGroup group;
    for (int i = 0; i < 10; ++i)
      group.go([&] {
        for (int round = 0; round < rounds; ++round) {
          if (round % 3 != 0)
            mutex.lock();
          else if (!mutex.try_lock())
            continue;
          ++unprotected;
          mutex.unlock();
          ++expected;
        }
      });
    group.wait();
    EXPECT_EQ(unprotected, expected);
  });
}

// One goroutine holds the mutex nearly all the time; another one wants it now and then, and gets it.
TEST_P(GoMutex, IsFairToAGoroutineThatWaits) {
  run_clean([] {
    Mutex mutex;
    std::atomic<bool> over{false};
    WaitGroup group;
    group.go([&] {
      while (!over) {
        std::lock_guard guard(mutex);
        sleep_for(100us);
      }
    });
    auto done = make_channel<bool>(1);
    group.go([=, &mutex] {
      for (int i = 0; i < 10; ++i) {
        sleep_for(100us);
        std::lock_guard guard(mutex);
      }
      done->send(true);
    });
    EXPECT_TRUE(receive_in_time(done));
    over = true;
    group.wait();
  });
}

class GoSharedMutex : public GoTest {};
TANDEM_ON_PROCESSORS(GoSharedMutex);

// All are inside before any of them is let out.
TEST_P(GoSharedMutex, ReadersAreInsideTogether) {
  run_clean([] {
    for (const int readers : {1, 3, 4, 10}) {
      SharedMutex mutex;
      auto inside = make_channel<bool>(), leave = make_channel<bool>();
      WaitGroup group;
      for (int i = 0; i < readers; ++i)
        group.go([=, &mutex] {
          std::shared_lock lock(mutex);
          inside->send(true);
          leave->receive();
        });
      for (int i = 0; i < readers; ++i) inside->receive();
      for (int i = 0; i < readers; ++i) leave->send(true);
      group.wait();
    }
  });
}

TEST_P(GoSharedMutex, TryLocksSeeWhoIsInside) {
  run_clean([] {
    SharedMutex mutex;
    mutex.lock();
    EXPECT_FALSE(mutex.try_lock());
    EXPECT_FALSE(mutex.try_lock_shared());
    mutex.unlock();
    EXPECT_TRUE(mutex.try_lock());
    mutex.unlock();
    EXPECT_TRUE(mutex.try_lock_shared());
    EXPECT_TRUE(mutex.try_lock_shared());
    EXPECT_FALSE(mutex.try_lock());
    mutex.unlock_shared();
    EXPECT_FALSE(mutex.try_lock()) << "one reader is still inside";
    mutex.unlock_shared();
    EXPECT_TRUE(mutex.try_lock());
    mutex.unlock();
  });
}

// Counts readers by ones and writers by ten thousands: whoever is inside knows who else is.
void hammer(int readers, int rounds) {
  constexpr int kWriter = 10'000;
  SharedMutex mutex;
  std::atomic<int> inside{0}, wrong{0};
  const auto stay = [] {
    for (int i = 0; i < 100; ++i) asm volatile("");
  };
  WaitGroup group;
  const auto read = [&] {
    for (int round = 0; round < rounds; ++round) {
      std::shared_lock lock(mutex);
      wrong += ++inside >= kWriter;
      stay();
      --inside;
    }
  };
  const auto write = [&] {
    for (int round = 0; round < rounds; ++round) {
      std::unique_lock lock(mutex);
      wrong += (inside += kWriter) != kWriter;
      if (round % 16 == 0) yield();
      stay();
      inside -= kWriter;
    }
  };
  group.go(write);
  for (int i = 0; i < readers; ++i) {
    if (i == readers / 2) group.go(write);
    group.go(read);
  }
  group.wait();
  EXPECT_EQ(wrong, 0) << readers << " readers";
  EXPECT_EQ(inside, 0);
}

TEST_P(GoSharedMutex, WritersAreAlone) {
  run_clean([] {
    for (const int readers : {1, 3, 5, 10}) hammer(readers, scaled(1000));
  });
}

// Two read locks, given back one by one, keep the writer out; the writer keeps the next readers out.
TEST_P(GoSharedMutex, ReadersAndAWriterTakeTurns) {
  run_clean([] {
    constexpr int kRounds = 10;
    SharedMutex mutex;
    auto written = make_channel<bool>(1), read = make_channel<bool>(1);
    go([=, &mutex] {
      for (int round = 0; round < kRounds; ++round) {
        mutex.lock_shared();
        mutex.lock_shared();
        read->send(true);
        mutex.lock();
        written->send(true);
      }
    });
    for (int round = 0; round < kRounds; ++round) {
      read->receive();
      mutex.unlock_shared();
      yield();
      EXPECT_EQ(written->size(), 0u) << "a reader is still inside";
      mutex.unlock_shared();
      written->receive();
      yield();
      EXPECT_EQ(read->size(), 0u) << "the writer is still inside";
      mutex.unlock();
    }
  });
}

TEST(GoMutexDeathTest, UnlockingWhatIsNotLockedIsAFatalError) {
  const auto in_run = [](void (*misuse)()) {
    Options options;
    options.processors = 1;
    tandem::run(options, misuse);
  };
  const auto twice = [] {
    Mutex mutex;
    mutex.lock();
    mutex.unlock();
    mutex.unlock();
  };
  const auto reader_unlocks_as_writer = [] {
    SharedMutex mutex;
    mutex.lock_shared();
    mutex.unlock();
  };
  const auto writer_unlocks_twice = [] {
    SharedMutex mutex;
    mutex.lock();
    mutex.unlock();
    mutex.unlock();
  };
  const auto writer_unlocks_as_reader = [] {
    SharedMutex mutex;
    mutex.lock();
    mutex.unlock_shared();
  };
  const auto reader_unlocks_twice = [] {
    SharedMutex mutex;
    mutex.lock_shared();
    mutex.unlock_shared();
    mutex.unlock_shared();
  };
  const testing::ExitedWithCode exits(2);
  EXPECT_EXIT(in_run([] { Mutex().unlock(); }), exits, "fatal: .*not locked");
  EXPECT_EXIT(in_run(twice), exits, "fatal: .*not locked");
  EXPECT_EXIT(in_run([] { SharedMutex().unlock(); }), exits, "fatal: .*not locked for writing");
  EXPECT_EXIT(in_run(reader_unlocks_as_writer), exits, "fatal: .*not locked for writing");
  EXPECT_EXIT(in_run(writer_unlocks_twice), exits, "fatal: .*not locked for writing");
  EXPECT_EXIT(in_run([] { SharedMutex().unlock_shared(); }), exits, "fatal: .*not locked for reading");
  EXPECT_EXIT(in_run(writer_unlocks_as_reader), exits, "fatal: .*not locked for reading");
  EXPECT_EXIT(in_run(reader_unlocks_twice), exits, "fatal: .*not locked for reading");
}

}  // namespace
}  // namespace tandem
