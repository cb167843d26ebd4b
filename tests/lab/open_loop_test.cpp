#include "lab/open_loop.h"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

namespace lab {
namespace {

using namespace std::chrono_literals;
using TimePoint = LoadEnd::TimePoint;

// Time passes only by sleeping and by what operations take.
struct FakeClock {
  TimePoint time{1h};
  int sleeps = 0;
  TimePoint now() const { return time; }
  void sleep_until(TimePoint until) {
    time = until;
    ++sleeps;
  }
};

TEST(OpenLoop, AsksAtTheIntendedTimes) {
  FakeClock clock;
  LoadEnd end;
  LatencyHistogram latency;
  std::vector<TimePoint> asked;
  const TimePoint start = clock.time + 5ms;
  end.set(start + 30ms);
  run_open_loop(clock, start, 10ms, end, latency, [&] {
    asked.push_back(clock.time);
    clock.time += 20ns;
  });
  EXPECT_EQ(asked, (std::vector{start, start + 10ms, start + 20ms}));
  EXPECT_EQ(latency.max(), 20u);
}

// One operation of 25 ms delays the next two; a loop that measured from the actual start would see 1 ms for
// both.
TEST(OpenLoop, LatencyIsMeasuredFromTheIntendedStart) {
  FakeClock clock;
  LoadEnd end;
  LatencyHistogram latency;
  const TimePoint start = clock.time;
  end.set(start + 35ms);
  int operation = 0;
  run_open_loop(clock, start, 10ms, end, latency, [&] { clock.time += operation++ == 0 ? 25ms : 1ms; });
  EXPECT_EQ(operation, 4);  // due at 0, 10, 20, 30; done at 25, 26, 27, 31
  EXPECT_EQ(clock.sleeps, 1);
  EXPECT_EQ(latency.count(), 4u);
  const auto about = [](std::uint64_t value) { return static_cast<double>(value) / 1e6; };
  EXPECT_NEAR(about(latency.percentile(0.25)), 1, 0.04);
  EXPECT_NEAR(about(latency.percentile(0.50)), 7, 0.3);
  EXPECT_NEAR(about(latency.percentile(0.75)), 16, 0.6);
  EXPECT_NEAR(about(latency.percentile(1.00)), 25, 0.8);
}

TEST(OpenLoop, WhatIsDueBeforeTheEndIsDoneAfterIt) {
  FakeClock clock;
  LoadEnd end;
  LatencyHistogram latency;
  const TimePoint start = clock.time;
  run_open_loop(clock, start, 10ms, end, latency, [&] {
    if (latency.count() > 0) return;
    clock.time += 1s;
    end.set(clock.time);
  });
  EXPECT_EQ(latency.count(), 100u);  // due at 0, 10, ..., 990 ms
  EXPECT_EQ(clock.sleeps, 0);
}

TEST(OpenLoop, EndsDuringASleepWithoutAsking) {
  LoadEnd end;
  struct Clock : FakeClock {
    LoadEnd* end;
    void sleep_until(TimePoint until) {
      end->set(time + 1ms);
      FakeClock::sleep_until(until);
    }
  } clock;
  clock.end = &end;
  LatencyHistogram latency;
  run_open_loop(clock, clock.time + 10ms, 10ms, end, latency, [&] { FAIL() << "nothing was due"; });
  EXPECT_EQ(latency.count(), 0u);
}

}  // namespace
}  // namespace lab
