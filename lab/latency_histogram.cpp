#include "lab/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace lab {
namespace {

constexpr unsigned kSubBucketBits = 5;
constexpr std::uint64_t kSubBuckets = 1u << kSubBucketBits;
// The values below 32 have a bucket each; every further power of two (2^5 ... 2^63) has 32 buckets.
constexpr std::size_t kBuckets = kSubBuckets * (64 - kSubBucketBits + 1);

std::size_t bucket_of(std::uint64_t value) {
  if (value < kSubBuckets) return value;
  const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - 1 - kSubBucketBits;
  return kSubBuckets * (shift + 1) + ((value >> shift) - kSubBuckets);
}

std::uint64_t last_value_of(std::size_t bucket) {
  if (bucket < kSubBuckets) return bucket;
  const std::size_t shift = bucket / kSubBuckets - 1;
  const std::uint64_t first = (kSubBuckets + bucket % kSubBuckets) << shift;
  return first + ((std::uint64_t{1} << shift) - 1);
}

}  // namespace

LatencyHistogram::LatencyHistogram() : buckets_(kBuckets) {}

void LatencyHistogram::record(std::uint64_t nanoseconds) {
  ++buckets_[bucket_of(nanoseconds)];
  ++count_;
  max_ = std::max(max_, nanoseconds);
}

void LatencyHistogram::merge(const LatencyHistogram& other) {
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) buckets_[bucket] += other.buckets_[bucket];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

std::uint64_t LatencyHistogram::percentile(double quantile) const {
  if (count_ == 0) return 0;
  const double exact = std::ceil(std::clamp(quantile, 0.0, 1.0) * static_cast<double>(count_));
  const std::uint64_t rank = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(exact), 1, count_);
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
    seen += buckets_[bucket];
    if (seen >= rank) return std::min(last_value_of(bucket), max_);
  }
  return max_;
}

}  // namespace lab
