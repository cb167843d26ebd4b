#include "lab/latency_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

namespace lab {
namespace {

TEST(LatencyHistogram, EmptyHasNoPercentiles) {
  const LatencyHistogram histogram;
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.percentile(0.5), 0u);
  EXPECT_EQ(histogram.max(), 0u);
}

TEST(LatencyHistogram, ExactBelow64) {
  LatencyHistogram histogram;
  for (std::uint64_t value = 1; value <= 60; ++value) histogram.record(value);
  EXPECT_EQ(histogram.percentile(0), 1u);
  EXPECT_EQ(histogram.percentile(0.5), 30u);
  EXPECT_EQ(histogram.percentile(0.9), 54u);
  EXPECT_EQ(histogram.percentile(1), 60u);
}

// Against the definition, on a distribution with a long tail: never too small, never more than 1/32 too
// large.
TEST(LatencyHistogram, AgreesWithSortedValues) {
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> distribution(10, 3);
  LatencyHistogram histogram;
  std::vector<std::uint64_t> values(20'000);
  for (std::uint64_t& value : values) {
    value = static_cast<std::uint64_t>(distribution(random));
    histogram.record(value);
  }
  std::sort(values.begin(), values.end());
  for (const double quantile : {0.0001, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::ceil(quantile * static_cast<double>(values.size())));
    const std::uint64_t exact = values[rank - 1];
    EXPECT_GE(histogram.percentile(quantile), exact) << quantile;
    EXPECT_LE(histogram.percentile(quantile), exact + exact / 32) << quantile;
  }
  EXPECT_EQ(histogram.max(), values.back());
  EXPECT_EQ(histogram.percentile(1), values.back());
}

TEST(LatencyHistogram, TakesTheLargestValueThereIs) {
  constexpr auto kLargest = std::numeric_limits<std::uint64_t>::max();
  LatencyHistogram histogram;
  histogram.record(kLargest);
  histogram.record(0);
  EXPECT_EQ(histogram.percentile(1), kLargest);
  EXPECT_EQ(histogram.percentile(0.5), 0u);
}

TEST(LatencyHistogram, MergingIsRecordingBoth) {
  LatencyHistogram left, right, both;
  for (std::uint64_t value = 1; value < 100'000; value = value * 3 / 2 + 1) {
    (value % 2 == 0 ? left : right).record(value);
    both.record(value);
  }
  left.merge(right);
  EXPECT_EQ(left.count(), both.count());
  EXPECT_EQ(left.max(), both.max());
  for (double quantile = 0; quantile <= 1; quantile += 0.05)
    EXPECT_EQ(left.percentile(quantile), both.percentile(quantile)) << quantile;
}

}  // namespace
}  // namespace lab
