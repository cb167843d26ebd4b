// What Go's time/sleep_test.go checks of sleeping and of timers. Nothing here depends on when something happens at the
// latest: what is checked is that nothing comes early or not at all, and that stop() and reset() tell the truth.
#include "tests/go/go_test.h"

#include <array>
#include <memory>
#include <random>
#include <tuple>
#include <utility>
#include <vector>

namespace tandem {
namespace {

using namespace test;
using Times = Local<Channel<Clock::time_point>>;

class GoTimer : public GoTest {};
TANDEM_ON_PROCESSORS(GoTimer);

TEST_P(GoTimer, SleepIsNotCutShort) {
  run_clean([] {
    go([] { sleep_for(5ms); });  // wakes the processor up in the middle
    const auto start = Clock::now();
    sleep_for(10ms);
    EXPECT_GE(Clock::now() - start, 10ms);
  });
}

// Each call starts the next and sleeps on: functions of timers run as goroutines and do not hold each other up.
TEST_P(GoTimer, FunctionsMayStartTimersAndSleep) {
  run_and_cancel([] {
    struct Chain {
      std::array<std::unique_ptr<Timer>, 11> timers;
      Persistent<Channel<bool>> over;
      void next(std::size_t index) {
        if (index == timers.size()) {
          over->send(true);
          return;
        }
        timers[index] = std::make_unique<Timer>(0ms, [this, index] {
          next(index + 1);
          sleep_for(1h);
        });
      }
    };
    static Chain chain;  // outlives the functions, which sleep until the end of the run
    auto over = make_channel<bool>(1);
    chain.over = over;
    chain.next(0);
    EXPECT_TRUE(receive_in_time(over));
  });
}

TEST_P(GoTimer, TicksComeThroughCollectionsWithoutAPause) {
  run_clean([] {
    std::atomic<bool> over{false};
    WaitGroup group;
    group.go([&] {
      while (!over) {
        collect();
        sleep_for(1ns);
      }
    });
    Ticker ticker(1ns);
    const int ticks = scaled(100);
    for (int i = 0; i < ticks; ++i) ASSERT_TRUE(receive_in_time(ticker.channel()));
    over = true;
    group.wait();
  });
}

TEST_P(GoTimer, AfterSendsTheTimeNotEarly) {
  run_clean([] {
    const auto start = Clock::now();
    const auto sent = after(10ms)->receive().value();
    EXPECT_GE(Clock::now() - start, 10ms);
    EXPECT_GE(sent - start, 10ms);
    EXPECT_LE(sent, Clock::now());
  });
}

TEST_P(GoTimer, OneAfterAnotherTakesTheSum) {
  run_clean([] {
    const auto start = Clock::now();
    for (int i = 0; i < 10; ++i) after(1ms)->receive();
    EXPECT_GE(Clock::now() - start, 10ms);
  });
}

// What stop() says and what happens agree, for timers around one that fires.
TEST_P(GoTimer, OneThatWasStoppedDoesNotFireAndSaysSoOnce) {
  run_clean([] {
    std::atomic<int> fired{0};
    Timer unrelated(4ms, [] {});
    Timer by_channel(2ms), by_function(6ms, [&] { ++fired; });
    auto later = after(8ms);
    const bool stopped_channel = by_channel.stop(), stopped_function = by_function.stop();
    later->receive();
    EXPECT_EQ(by_channel.channel()->try_receive().status == TryReceived<Clock::time_point>::empty, stopped_channel);
    if (!stopped_function) EXPECT_TRUE(eventually([&] { return fired == 1; }));
    EXPECT_EQ(fired, stopped_function ? 0 : 1);
    EXPECT_FALSE(by_channel.stop());
    EXPECT_FALSE(by_function.stop());
    EXPECT_TRUE(Timer(1h).stop());
  });
}

// Timers that are started out of order. One processor fires them in the order of their times; several processors may
// each be late on its own.
TEST_P(GoTimer, TimersThatStartOutOfOrderFireInOrder) {
  run_clean([] {
    constexpr std::array kSlots = {5, 3, 6, 6, 6, 1, 1, 2, 7, 9, 4, 8, 0};
    const auto start = Clock::now();
    struct Fired {
      int slot;
      Clock::time_point time;
    };
    auto results = make_channel<Fired>(kSlots.size());
    for (const int slot : kSlots) {
      auto timer = after(slot * 2ms);
      go([=] { results->send({slot, *timer->receive()}); });
    }
    std::vector<Fired> fired;
    for (std::size_t i = 0; i < kSlots.size(); ++i) fired.push_back(results->receive().value());
    for (const Fired& each : fired) EXPECT_GE(each.time - start, each.slot * 2ms) << "slot " << each.slot;
    if (processors() != 1) return;
    // Those that fired at the same time are in order whichever came first.
    std::sort(fired.begin(), fired.end(),
              [](const Fired& a, const Fired& b) { return std::tie(a.time, a.slot) < std::tie(b.time, b.slot); });
    EXPECT_TRUE(std::is_sorted(fired.begin(), fired.end(), [](auto& a, auto& b) { return a.slot < b.slot; }));
  });
}

// A hundred timers are stopped by a hundred goroutines, all about when they fire.
TEST_P(GoTimer, StopIsRightWhileManyFire) {
  run_clean([] {
    constexpr int kTimers = 100;
    std::atomic<int> stopped{0}, ran{0};
    WaitGroup group;
    for (int i = 0; i < kTimers; ++i)
      group.go([&, i] {
        Timer timer(std::chrono::microseconds(4000 + 20 * i), [&] { ++ran; });
        sleep_for(5ms);
        stopped += timer.stop();
      });
    group.wait();
    EXPECT_TRUE(eventually([&] { return ran + stopped == kTimers; })) << ran << " ran, " << stopped << " were stopped";
    let_others_run();
    EXPECT_EQ(ran + stopped, kTimers);
  });
}

TEST_P(GoTimer, SleepsOfNoTimeGoOnThroughCollections) {
  run_clean([] {
    WaitGroup group;
    group.go([] {
      for (int i = 0; i < 50; ++i) collect();
    });
    for (int i = 0; i < 100; ++i) {
      sleep_for(0s);
      auto channel = make_channel<bool>(1);
      channel->send(true);
      EXPECT_EQ(channel->receive(), true);
    }
    group.wait();
  });
}

TEST_P(GoTimer, ResetMovesOneThatRunsAndStartsOneThatHasFired) {
  run_clean([] {
    Timer timer(1h);
    EXPECT_TRUE(timer.reset(2h)) << "it had not fired";
    sleep_for(2ms);
    EXPECT_EQ(timer.channel()->size(), 0u);
    const auto start = Clock::now();
    EXPECT_TRUE(timer.reset(5ms)) << "it had still not fired";
    EXPECT_GE(timer.channel()->receive().value() - start, 5ms);
    EXPECT_FALSE(timer.reset(1ms)) << "it had fired";
    EXPECT_TRUE(receive_in_time(timer.channel()));
  });
}

// The longest durations are not taken for short ones by an overflow; negative ones are over at once.
TEST_P(GoTimer, TheLongestAndTheShortestDurations) {
  run_and_cancel([] {
    constexpr auto kLongest = std::chrono::nanoseconds::max();
    constexpr auto kShortest = std::chrono::nanoseconds::min();
    std::atomic<bool> woke{false};
    go([&] {
      try {
        sleep_for(kLongest);
        woke = true;
      } catch (const Cancelled&) {
      }
    });
    EXPECT_TRUE(waits([] { sleep_for(std::chrono::hours::max()); }));
    Timer longest(kLongest), function(kLongest, [&] { woke = true; });
    EXPECT_EQ(select(on_receive(after(kLongest)), on_receive(longest.channel()), on_timeout(kLongest),
                     on_receive(after(5ms))),
              3u);
    EXPECT_FALSE(woke);
    EXPECT_TRUE(function.stop());

    sleep_for(kShortest);
    EXPECT_TRUE(receive_in_time(after(kShortest)));
    EXPECT_EQ(select(on_timeout(kShortest), on_timeout(kHung)), 0u);
    Ticker slow(kLongest);
    sleep_for(1ms);
    EXPECT_EQ(slow.channel()->size(), 0u);
  });
}

// An exception that passes by leaves nothing locked: the ticker can be stopped by its destructor.
TEST_P(GoTimer, AnExceptionWhileATickerRunsIsNoTrouble) {
  run_clean([] {
    EXPECT_THROW(
        {
          Ticker ticker(1h);
          Ticker refused(-1ms);
        },
        std::invalid_argument);
    EXPECT_TRUE(receive_in_time(after(0ms)));
  });
}

// Go panics on a Timer that was not made by NewTimer. Here one can only have been moved from: it does nothing.
TEST_P(GoTimer, OneThatWasMovedFromDoesNothing) {
  run_clean([] {
    Timer original(1h);
    Timer moved = std::move(original);
    EXPECT_FALSE(original.stop());
    EXPECT_FALSE(original.reset(1ms));
    EXPECT_EQ(original.channel(), nullptr);
    EXPECT_TRUE(moved.stop());
  });
}

TEST_P(GoTimer, TimersOfNoTimeAreNotMissed) {
  run_clean([] {
    const int count = scaled(10'000);
    for (int i = 0; i < count; ++i) {
      Timer timer(0s);
      ASSERT_TRUE(receive_in_time(timer.channel())) << "timer " << i;
    }
  });
}

TEST_P(GoTimer, MovingOneEarlierAgainAndAgainDoesNotLoseIt) {
  run_clean([] {
    const int count = scaled(500);
    for (int i = 0; i < count; ++i) {
      Timer timer(1h);
      for (int move = 0; move < 10; ++move) {
        if (!timer.stop()) ASSERT_TRUE(receive_in_time(timer.channel())) << "timer " << i << ", move " << move;
        timer.reset(-1h);
      }
      ASSERT_TRUE(receive_in_time(timer.channel())) << "timer " << i;
    }
  });
}

// 100 timers in random order through a life of long and short durations, stops and resets.
TEST_P(GoTimer, MovingManyEarlierAndLaterLosesNone) {
  run_clean([] {
    std::mt19937 random(20'220'830);
    struct Life {
      std::unique_ptr<Timer> timer;
      int state = 0;
    };
    std::vector<Life> lives(100);
    while (!lives.empty()) {
      const std::size_t index = random() % lives.size();
      Life& life = lives[index];
      switch (life.state++) {
        case 0: life.timer = std::make_unique<Timer>(0s); break;
        case 1: ASSERT_TRUE(receive_in_time(life.timer->channel())); break;
        case 2: ASSERT_FALSE(life.timer->reset(1min)); break;
        case 4: ASSERT_FALSE(life.timer->reset(3min)); break;
        case 6: ASSERT_FALSE(life.timer->reset(2min)); break;
        case 3:
        case 5:
        case 7: ASSERT_TRUE(life.timer->stop()); break;
        case 8: ASSERT_FALSE(life.timer->reset(0s)); break;
        case 9: ASSERT_TRUE(receive_in_time(life.timer->channel())); break;
        default: std::swap(life, lives.back()); lives.pop_back();
      }
    }
  });
}

// Timers that nobody can reach are collected, though they have neither fired nor been stopped.
TEST_P(GoTimer, OneThatNobodyCanReachIsCollected) {
  run_clean([] {
    const int count = scaled(5000);
    const auto live_bytes = [] {
      collect();
      wait_for_finalizers();
      collect();
      return heap_statistics().live_bytes;
    };
    std::vector<Persistent<Channel<Clock::time_point>>> kept;
    const auto start_timers = [&] {
      for (int i = 0; i < count; ++i) kept.emplace_back(after(1h));
    };
    const auto before = live_bytes();
    start_timers();
    const auto with_timers = live_bytes();
    EXPECT_GT(with_timers, before + 32 * static_cast<std::uint64_t>(count)) << "those within reach are kept";
    kept.clear();
    EXPECT_LT(live_bytes(), before + (with_timers - before) / 10);
  });
}

}  // namespace
}  // namespace tandem
