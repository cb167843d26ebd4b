#include "lab/workloads/kv/arrivals.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace lab::kv_load {
namespace {

using std::chrono::nanoseconds;

std::vector<nanoseconds> times_of(Arrivals arrivals, int count) {
  std::vector<nanoseconds> times;
  for (int i = 0; i < count; ++i) times.push_back(arrivals.next());
  return times;
}

TEST(Arrivals, ConstantOnesAreAnIntervalApart) {
  const auto times = times_of({"constant", 8, 1}, 16);
  for (std::size_t i = 0; i < times.size(); ++i)
    EXPECT_EQ(times[i], nanoseconds(125'000'000) * static_cast<int>(i + 1));
}

TEST(Arrivals, ConstantOnesDoNotDrift) {
  const auto times = times_of({"constant", 3, 1}, 3'000'000);
  EXPECT_NEAR(static_cast<double>(times.back().count()), 1e15,
              1e6);  // a million seconds, a millisecond at most beside it
}

TEST(Arrivals, TheSeedMakesThePoissonProcess) {
  EXPECT_EQ(times_of({"poisson", 1000, 7}, 1000), times_of({"poisson", 1000, 7}, 1000));
  EXPECT_NE(times_of({"poisson", 1000, 7}, 1000), times_of({"poisson", 1000, 8}, 1000));
}

// Gaps of an exponential distribution: the mean is its deviation, and e^-1 of them are longer than the mean.
TEST(Arrivals, PoissonHasTheRateAndTheSpread) {
  constexpr int kCount = 200'000;
  constexpr double kMean = 1e6;  // ns, at 1,000 per second
  const auto times = times_of({"poisson", 1000, 7}, kCount);
  double squares = 0, longer = 0;
  nanoseconds last{0};
  for (const nanoseconds time : times) {
    EXPECT_GE(time, last);
    const auto gap = static_cast<double>((time - last).count());
    squares += (gap - kMean) * (gap - kMean);
    longer += gap > kMean;
    last = time;
  }
  EXPECT_NEAR(static_cast<double>(last.count()) / kCount, kMean, 0.01 * kMean);
  EXPECT_NEAR(std::sqrt(squares / kCount), kMean, 0.02 * kMean);
  EXPECT_NEAR(longer / kCount, std::exp(-1), 0.01);
}

}  // namespace
}  // namespace lab::kv_load
