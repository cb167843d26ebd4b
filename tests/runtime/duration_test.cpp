// Durations and deadlines of every clock, period and representation, in the runtime's nanoseconds.
#include "tandem/detail/duration.h"

#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <mutex>
#include <ratio>

#include <gtest/gtest.h>

#include "tandem/context.h"
#include "tandem/select.h"
#include "tandem/sync.h"
#include "tandem/task_group.h"
#include "tests/support/run_fixture.h"

namespace tandem {
namespace {

using namespace std::chrono;
using namespace std::chrono_literals;
using detail::deadline_ns;
using detail::kLongestNs;
using detail::saturated_ns;

template <class Number>
using Limits = std::numeric_limits<Number>;
template <class Rep, class Period = std::ratio<1>>
using D = duration<Rep, Period>;

// Rounded up, exact.
static_assert(saturated_ns(nanoseconds(1)) == 1 && saturated_ns(hours(2)) == 7'200'000'000'000);
static_assert(saturated_ns(D<std::int64_t, std::pico>(1)) == 1 && saturated_ns(D<std::int64_t, std::pico>(2000)) == 2);
static_assert(saturated_ns(D<std::int64_t, std::ratio<1, 3>>(1)) == 333'333'334);
static_assert(saturated_ns(D<int, std::ratio<1, 60>>(60)) == 1'000'000'000);
static_assert(saturated_ns(D<unsigned char>(200)) == 200'000'000'000);
static_assert(saturated_ns(D<double, std::milli>(0.5)) == 500'000 && saturated_ns(D<double, std::nano>(1.25)) == 2);
static_assert(saturated_ns(D<float>(0.5F)) == 500'000'000 && saturated_ns(D<long double>(0.5L)) == 500'000'000);

// Zero and less.
static_assert(saturated_ns(0s) == 0 && saturated_ns(-1ns) == 0 && saturated_ns(nanoseconds::min()) == 0);
static_assert(saturated_ns(hours::min()) == 0 && saturated_ns(years(-100'000)) == 0);
static_assert(saturated_ns(D<std::int64_t, std::exa>::min()) == 0 && saturated_ns(D<double>(-1e300)) == 0);
static_assert(saturated_ns(D<double>(-Limits<double>::infinity())) == 0);
static_assert(saturated_ns(D<double>(Limits<double>::quiet_NaN())) == 0);
static_assert(saturated_ns(D<float>(Limits<float>::quiet_NaN())) == 0);

// More than is counted.
static_assert(saturated_ns(nanoseconds::max()) == kLongestNs && saturated_ns(hours::max()) == kLongestNs);
static_assert(saturated_ns(nanoseconds(kLongestNs - 1)) == kLongestNs - 1);
static_assert(saturated_ns(nanoseconds(kLongestNs + 1)) == kLongestNs);
static_assert(saturated_ns(days(1'000'000)) == kLongestNs && saturated_ns(years(100'000)) == kLongestNs);
static_assert(saturated_ns(D<std::uint64_t>::max()) == kLongestNs);
static_assert(saturated_ns(D<std::uint64_t, std::nano>::max()) == kLongestNs);
static_assert(saturated_ns(D<std::int64_t, std::exa>(1)) == kLongestNs);
static_assert(saturated_ns(D<std::uint64_t, std::exa>::max()) == kLongestNs);
static_assert(saturated_ns(D<std::int64_t, std::ratio<10, 3>>::max()) == kLongestNs);
static_assert(saturated_ns(D<float>::max()) == kLongestNs && saturated_ns(D<long double>::max()) == kLongestNs);
static_assert(saturated_ns(D<double>(Limits<double>::infinity())) == kLongestNs);

/// Stands still, at `kNow` in Duration's ticks: what is expected of it can be computed.
template <class Duration, auto kNow>
struct StandingClock {
  using rep = typename Duration::rep;
  using period = typename Duration::period;
  using duration = Duration;
  using time_point = std::chrono::time_point<StandingClock>;
  static constexpr bool is_steady = false;
  static time_point now() noexcept { return time_point(duration(kNow)); }
};

/// How far ahead deadline_ns() takes `time` to be; negative: over.
template <class TimePoint>
std::int64_t ahead_ns(TimePoint time) {
  const auto before = static_cast<std::int64_t>(detail::runtime_now_ns());
  const auto deadline = static_cast<std::int64_t>(deadline_ns(time));
  const auto after = static_cast<std::int64_t>(detail::runtime_now_ns());
  return deadline < after ? deadline - after : deadline - before;
}
constexpr std::int64_t kAYearNs = nanoseconds(years(1)).count();

template <class Clock>
void expect_ends_to_saturate() {
  using Point = typename Clock::time_point;
  EXPECT_EQ(deadline_ns(Point::max()), kLongestNs);
  EXPECT_LE(ahead_ns(Point::min()), 0);
  EXPECT_EQ(deadline_ns(time_point<Clock, seconds>::max()), kLongestNs);
  EXPECT_LE(ahead_ns(time_point<Clock, seconds>::min()), 0);
  EXPECT_EQ(deadline_ns(time_point<Clock, hours>(hours::max())), kLongestNs);
  EXPECT_LE(ahead_ns(time_point<Clock, hours>(hours::min())), 0);
  EXPECT_EQ(deadline_ns(time_point<Clock, D<std::uint64_t>>::max()), kLongestNs);
  EXPECT_EQ(deadline_ns(time_point<Clock, D<double>>::max()), kLongestNs);
  EXPECT_LE(ahead_ns(time_point<Clock, D<double>>::min()), 0);
  EXPECT_EQ(deadline_ns(time_point<Clock, D<double>>(D<double>(Limits<double>::infinity()))), kLongestNs);
  EXPECT_LE(ahead_ns(time_point<Clock, D<double>>(D<double>(Limits<double>::quiet_NaN()))), 0);
}

TEST(Duration, TheEndsOfEveryClockSaturate) {
  expect_ends_to_saturate<steady_clock>();
  expect_ends_to_saturate<system_clock>();
  expect_ends_to_saturate<file_clock>();  // libstdc++'s epoch is in 2174
  expect_ends_to_saturate<StandingClock<seconds, 63'000'000'000>>();
  expect_ends_to_saturate<StandingClock<D<double>, 1'000>>();
}

TEST(Duration, CalendarsReachFurtherThanNanoseconds) {
  EXPECT_GT(ahead_ns(sys_days(year(9999) / 12 / 31)), 100 * kAYearNs);
  EXPECT_GT(ahead_ns(sys_days(year(2200) / 12 / 31)), 100 * kAYearNs);
  EXPECT_LE(ahead_ns(sys_days(year(1700) / 1 / 1)), 0);
  EXPECT_LE(ahead_ns(sys_days(year(1) / 1 / 1)), 0);
  EXPECT_LE(ahead_ns(sys_days(year(-32767) / 1 / 1)), 0);
}

/// The distance is kept, never shortened, wherever the clock's epoch is.
template <class Clock, class Duration>
void expect_distance(Duration distance, nanoseconds expected) {
  const auto before = static_cast<std::int64_t>(detail::runtime_now_ns());
  const auto deadline = static_cast<std::int64_t>(deadline_ns(Clock::now() + distance));
  const auto after = static_cast<std::int64_t>(detail::runtime_now_ns());
  EXPECT_GE(deadline, before + expected.count());
  EXPECT_LE(deadline, after + expected.count());
}

TEST(Duration, DistancesAreKeptWhereverTheEpochIs) {
  expect_distance<StandingClock<seconds, 63'000'000'000>>(seconds(3), 3s);   // of the year 1996, counted from 0
  expect_distance<StandingClock<seconds, -63'000'000'000>>(seconds(3), 3s);  // more than 64 bits of nanoseconds
  expect_distance<StandingClock<nanoseconds, -4'700'000'000'000'000'000>>(10ms, 10ms);
  expect_distance<StandingClock<D<std::int64_t, std::pico>, 1>>(D<std::int64_t, std::pico>(1), 2ns);
  expect_distance<StandingClock<D<std::uint64_t, std::milli>, 5>>(D<std::uint64_t, std::milli>(7), 7ms);
  expect_distance<StandingClock<D<double>, 1'000>>(D<double>(0.5), 500ms);
}

class DeadlineTest : public test::OnProcessors {};
TANDEM_ON_PROCESSORS(DeadlineTest);

const auto kFar = sys_days(year(9999) / 12 / 31);
const auto kPast = sys_days(year(1) / 1 / 1);

TEST_P(DeadlineTest, ContextsWithAFarOneAreNotOver) {
  run_clean([] {
    const Local<Context> far = with_deadline(Context::background(), kFar);
    EXPECT_EQ(select(on_receive(far->done()), on_timeout(2ms)), 1u);
    far->cancel();
    EXPECT_EQ(with_deadline(Context::background(), kPast)->error(), std::errc::timed_out);
    EXPECT_EQ(with_deadline(Context::background(), system_clock::time_point::min())->error(), std::errc::timed_out);
  });
}

TEST_P(DeadlineTest, SleepsUntilAFarOneGoOn) {
  run_clean([] {
    TaskGroup group;
    bool returned = false;
    group.go([&] {
      sleep_until(kFar);
      returned = true;
    });
    sleep_for(2ms);
    EXPECT_FALSE(returned);
    group.cancel();
    group.wait();
    sleep_until(kPast);
  });
}

TEST_P(DeadlineTest, WaitsOfConditionVariables) {
  run_clean([] {
    Mutex mutex;
    ConditionVariable condition;
    std::unique_lock lock(mutex);
    EXPECT_EQ(condition.wait_until(lock, kPast), std::cv_status::timeout);
    TaskGroup group;
    group.go([&] {
      const std::lock_guard inner(mutex);
      condition.notify_one();
    });
    EXPECT_EQ(condition.wait_until(lock, kFar), std::cv_status::no_timeout);
    lock.unlock();
    group.wait();
  });
}

}  // namespace
}  // namespace tandem
