#include "runtime/base/histogram.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

#include "runtime/base/random.h"

namespace tandem::base {
namespace {

TEST(Histogram, BucketsCoverTheRangeWithoutGapOrOverlap) {
  EXPECT_EQ(Histogram::bucket_of(0), 0u);
  EXPECT_EQ(Histogram::bucket_of(~std::uint64_t{0}), Histogram::kBuckets - 1);
  EXPECT_EQ(Histogram::last_value_of(Histogram::kBuckets - 1), ~std::uint64_t{0});
  for (std::size_t bucket = 0; bucket < Histogram::kBuckets; ++bucket) {
    ASSERT_EQ(Histogram::bucket_of(Histogram::first_value_of(bucket)), bucket);
    ASSERT_EQ(Histogram::bucket_of(Histogram::last_value_of(bucket)), bucket);
    if (bucket == 0) continue;
    ASSERT_EQ(Histogram::first_value_of(bucket), Histogram::last_value_of(bucket - 1) + 1);
  }
}

TEST(Histogram, PercentilesAreWithinOneThirtySecondAboveTheTrueOnes) {
  Histogram histogram;
  Random random(7);
  std::vector<std::uint64_t> values;
  std::uint64_t sum = 0;
  for (int i = 0; i < 100'000; ++i) {
    values.push_back(random.next() >> (20 + random.below(40)));  // over twelve decades
    sum += values.back();
    histogram.record(values.back());
  }
  std::sort(values.begin(), values.end());
  EXPECT_EQ(histogram.count(), values.size());
  EXPECT_EQ(histogram.sum(), sum);
  EXPECT_EQ(histogram.max(), values.back());
  for (const double quantile : {0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = static_cast<std::size_t>(quantile * static_cast<double>(values.size())) - 1;
    const std::uint64_t exact = values[rank];
    const std::uint64_t answer = histogram.percentile(quantile);
    EXPECT_GE(answer, exact) << quantile;
    EXPECT_LE(answer, exact + exact / 32 + 1) << quantile;
  }
}

TEST(Histogram, AnswersZeroWhenNothingWasRecorded) {
  const Histogram histogram;
  EXPECT_EQ(histogram.percentile(0.99), 0u);
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.mean(), 0.0);
}

TEST(Histogram, MergesAndResets) {
  Histogram small, large;
  small.record(10);
  large.record(1'000'000);
  large.record(20);
  small.merge(large);
  EXPECT_EQ(small.count(), 3u);
  EXPECT_EQ(small.sum(), 1'000'030u);
  EXPECT_EQ(small.max(), 1'000'000u);
  EXPECT_EQ(small.percentile(0.0), 10u);
  EXPECT_EQ(small.percentile(0.5), 20u);
  small.reset();
  EXPECT_EQ(small.count(), 0u);
  EXPECT_EQ(small.max(), 0u);
}

TEST(Histogram, IsReadWhileItsOwnerRecords) {
  Histogram histogram;
  std::atomic<bool> done{false};
  std::thread owner([&] {
    for (std::uint64_t value = 0; value < 200'000; ++value) histogram.record(value % 1000);
    done = true;
  });
  std::uint64_t last = 0;
  while (!done) {
    const Histogram snapshot = histogram;
    ASSERT_GE(snapshot.count(), last);
    ASSERT_LE(snapshot.percentile(1.0), 1000u);
    last = snapshot.count();
  }
  owner.join();
  EXPECT_EQ(histogram.count(), 200'000u);
}

}  // namespace
}  // namespace tandem::base
