#include "runtime/base/clock.h"

#include <atomic>
#include <chrono>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

namespace tandem::base {
namespace {

std::uint64_t steady_ns() {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
          .count());
}

// Timers compare deadlines of steady_clock with now_ns.
TEST(Clock, IsSteadyClock) {
  for (int turn = 0; turn < 10'000; ++turn) {
    const std::uint64_t before = steady_ns();
    const std::uint64_t now = now_ns();
    ASSERT_LE(before, now);
    ASSERT_LE(now, steady_ns());
  }
}

// What one thread has read is not later than what another reads afterwards.
TEST(Clock, IsMonotonicAcrossThreads) {
  std::atomic<std::uint64_t> latest{0};
  std::atomic<int> failures{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      for (int turn = 0; turn < 200'000; ++turn) {
        const std::uint64_t seen = latest.load(std::memory_order_acquire);
        const std::uint64_t now = now_ns();
        if (now < seen) ++failures;
        latest.store(now, std::memory_order_release);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
}

TEST(Clock, ThreadTimeCountsWorkAndNotSleep) {
  const std::uint64_t before = cpu_time_ns();
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  const std::uint64_t slept = cpu_time_ns() - before;
  EXPECT_LT(slept, 20'000'000u);
  const std::uint64_t start = cpu_time_ns();
  while (cpu_time_ns() - start < 5'000'000) {
  }
  EXPECT_GE(cpu_time_ns(), before + 5'000'000);
}

}  // namespace
}  // namespace tandem::base
