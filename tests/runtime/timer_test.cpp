#include "tandem/timer.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "tandem/select.h"
#include "tandem/sync.h"
#include "tests/support/run_fixture.h"

namespace tandem {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

class TimerTest : public test::OnProcessors {};
TANDEM_ON_PROCESSORS(TimerTest);

TEST_P(TimerTest, FiresOnceAndNeverEarly) {
  run_clean([] {
    for (auto delay : {0us, 1us, 500us, 3000us}) {
      const auto start = Clock::now();
      Timer timer(delay);
      const Clock::time_point sent = *timer.channel()->receive();
      const auto now = Clock::now();
      EXPECT_GE(sent - start, delay);
      EXPECT_LE(sent, now);
      EXPECT_FALSE(timer.stop());
    }
    const auto start = Clock::now();
    after(2ms)->receive();
    EXPECT_GE(Clock::now() - start, 2ms);
  });
}

TEST_P(TimerTest, StopPreventsItAndSaysSo) {
  run_clean([] {
    Timer timer(100ms);  // long enough to stop it in time on a busy machine
    EXPECT_TRUE(timer.stop());
    EXPECT_FALSE(timer.stop());
    sleep_for(110ms);
    EXPECT_EQ(timer.channel()->try_receive().status, timer.channel()->try_receive().empty);
  });
}

TEST_P(TimerTest, ResetStartsItAgain) {
  run_clean([] {
    Timer timer(1h);
    const auto start = Clock::now();
    EXPECT_TRUE(timer.reset(2ms));
    EXPECT_GE(*timer.channel()->receive() - start, 2ms);
    EXPECT_FALSE(timer.reset(1ms));
    EXPECT_TRUE(test::eventually([&] { return timer.channel()->size() == 1; }));  // fires, and nobody receives
    const auto again = Clock::now();
    EXPECT_FALSE(timer.reset(2ms));
    EXPECT_GE(*timer.channel()->receive() - again, 2ms);  // not the old value
  });
}

TEST_P(TimerTest, RunsAFunctionWithLocals) {
  run_clean([] {
    auto channel = make_channel<int>(4);
    Timer timer(1ms, [channel, pointer = std::make_unique<int>(7)] { channel->send(*pointer); });
    EXPECT_EQ(timer.channel(), nullptr);
    EXPECT_EQ(channel->receive(), 7);
    timer.reset(1ms);
    EXPECT_EQ(channel->receive(), 7);
    Timer never(1h, [channel] { channel->send(8); });
    EXPECT_TRUE(never.stop());
    {
      Timer dropped(100ms, [channel] { channel->send(9); });  // again long enough
    }
    sleep_for(110ms);
    EXPECT_EQ(channel->size(), 0u);
  });
}

TEST_P(TimerTest, TickerTicksOnItsGridAndStops) {
  run_clean([] {
    const auto start = Clock::now();
    Ticker ticker(2ms);
    for (int i = 1; i <= 5; ++i) EXPECT_GE(*ticker.channel()->receive() - start, i * 2ms);
    ticker.reset(1ms);
    ticker.channel()->receive();
    ticker.stop();
    static_cast<void>(ticker.channel()->try_receive());
    sleep_for(5ms);
    EXPECT_EQ(ticker.channel()->size(), 0u);
    EXPECT_THROW(Ticker(0ms), std::invalid_argument);
  });
}

// Stop against firing, over and over: a stopped timer that said so never sends.
TEST_P(TimerTest, StopAndFireAgree) {
  run_clean([] {
    int stopped = 0;
    for (int i = 0; i < 300; ++i) {
      Timer timer(std::chrono::microseconds(i % 100));
      const auto until = Clock::now() + std::chrono::microseconds(50);
      while (Clock::now() < until) yield();
      if (timer.stop()) {
        ++stopped;
        EXPECT_EQ(timer.channel()->size(), 0u);
      } else {
        EXPECT_TRUE(timer.channel()->receive().has_value());
      }
    }
    EXPECT_LT(stopped, 300);
  });
}

TEST_P(TimerTest, ThousandsFireInOrderOfTime) {
  run_clean([] {
    auto order = make_channel<int>(1000);
    std::vector<Timer> timers;
    for (int i = 0; i < 200; ++i)
      timers.emplace_back(std::chrono::microseconds(100 * (i * 37 % 200)), [order, i] { order->send(i * 37 % 200); });
    std::vector<bool> seen(200);
    for (int i = 0; i < 200; ++i) seen[*order->receive()] = true;
    for (bool each : seen) EXPECT_TRUE(each);
  });
}

// Each time the sleeper wakes, a computing goroutine is preempted for its sake; then it is another one's turn, all round. Turns are
// counted, not time.
TEST(TimerFairness, ComputingGoroutinesBesideASleeperTakeTurns) {
  constexpr int kComputing = 4;
  std::array<int, kComputing> turns{};
  Options options;
  options.processors = 1;
  run(options, [&] {
    bool stop = false;  // one processor: they take turns with this too
    int running = -1;
    WaitGroup group;
    for (int me = 0; me < kComputing; ++me)
      group.go([&, me] {
        while (!stop) {
          if (running != me) ++turns[me];
          running = me;
          safepoint();
        }
      });
    for (int i = 0; i < 50 * kComputing; ++i) sleep_for(1ms);
    stop = true;
    group.wait();
  });
  EXPECT_GE(*std::min_element(turns.begin(), turns.end()), 25) << testing::PrintToString(turns);
  EXPECT_LE(*std::max_element(turns.begin(), turns.end()), 2 * *std::min_element(turns.begin(), turns.end()))
      << testing::PrintToString(turns);
}

TEST_P(TimerTest, TimersLeftAtTheEndOfTheRunAreNoTrouble) {
  std::unique_ptr<Timer> outlives;
  run_and_cancel([&] {
    static_cast<void>(after(1h));
    outlives = std::make_unique<Timer>(1h, [] {});
    auto kept = make_channel<int>();
    go([kept] { select(on_receive(kept), on_timeout(1h)); });
    go([] { Ticker(1h).channel()->receive(); });
    sleep_for(1ms);
  });
  EXPECT_FALSE(outlives->stop());
}

}  // namespace
}  // namespace tandem
