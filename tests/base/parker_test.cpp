#include "runtime/base/parker.h"

#include <chrono>
#include <gtest/gtest.h>
#include <thread>

namespace tandem::base {
namespace {

using namespace std::chrono_literals;

TEST(Parker, KeepsAnEarlierWakeUpButOnlyOne) {
  Parker parker;
  parker.unpark();
  parker.unpark();
  parker.park();                             // does not wait
  EXPECT_FALSE(parker.park_for(1'000'000));  // the second unpark left no second token
}

TEST(Parker, TimesOutNotEarlyAndTakesALateToken) {
  Parker parker;
  const auto before = std::chrono::steady_clock::now();
  EXPECT_FALSE(parker.park_for(5'000'000));
  EXPECT_GE(std::chrono::steady_clock::now() - before, 5ms);
  EXPECT_FALSE(parker.park_for(0));
  parker.unpark();
  EXPECT_TRUE(parker.park_for(0));
}

TEST(Parker, AcceptsTheLongestTimeout) {
  Parker parker;
  std::thread waker([&] {
    std::this_thread::sleep_for(5ms);
    parker.unpark();
  });
  EXPECT_TRUE(parker.park_for(~std::uint64_t{0}));
  waker.join();
}

// Each turn writes a plain variable that the other side reads: a lost wake-up hangs, a missing order is a
// data race.
TEST(Parker, LosesNoWakeUpInPingPong) {
  Parker ping, pong;
  constexpr int kTurns = 20'000;
  int ball = 0;
  std::thread other([&] {
    for (int turn = 0; turn < kTurns; ++turn) {
      pong.park();
      ASSERT_EQ(ball, 2 * turn + 1);
      ++ball;
      ping.unpark();
    }
  });
  for (int turn = 0; turn < kTurns; ++turn) {
    ++ball;
    pong.unpark();
    while (!ping.park_for(turn % 2 == 0 ? 1'000 : 10'000'000'000)) {
    }
    ASSERT_EQ(ball, 2 * turn + 2);
  }
  other.join();
}

// The waker does not wait for the sleeper: wake-ups merge, but after the last one the sleeper must see the
// last value.
TEST(Parker, LosesNoWakeUpWhenTheyMerge) {
  Parker parker;
  std::atomic<int> published{0};
  constexpr int kLast = 100'000;
  std::thread sleeper([&] {
    while (published.load(std::memory_order_relaxed) != kLast) parker.park();
  });
  for (int value = 1; value <= kLast; ++value) {
    published.store(value, std::memory_order_relaxed);
    parker.unpark();
  }
  sleeper.join();
}

}  // namespace
}  // namespace tandem::base
