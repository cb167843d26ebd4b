#include "runtime/base/spin_lock.h"

#include <gtest/gtest.h>
#include <mutex>
#include <thread>
#include <vector>

namespace tandem::base {
namespace {

static_assert(sizeof(SpinLock) == 1);

// More threads than cores, and a plain counter: lost updates or, under TSan, races show a lock that does not
// exclude.
TEST(SpinLock, Excludes) {
  SpinLock lock;
  long counter = 0;
  constexpr int kThreads = 8, kRounds = 20'000;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < kRounds; ++round) {
        std::lock_guard guard(lock);
        ++counter;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(counter, long{kThreads} * kRounds);
}

TEST(SpinLock, TryLockFailsWhileHeld) {
  SpinLock lock;
  EXPECT_TRUE(lock.try_lock());
  EXPECT_TRUE(lock.is_locked());
  EXPECT_FALSE(lock.try_lock());
  lock.unlock();
  EXPECT_TRUE(lock.try_lock());
  lock.unlock();
}

}  // namespace
}  // namespace tandem::base
