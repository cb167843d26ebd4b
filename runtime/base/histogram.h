// A histogram of durations (or sizes) that is always on: one writer records in a few instructions, anybody
// may read.
//
// Log-linear: values below 32 exactly, above that 32 buckets per power of two, so a reported percentile is at
// most 1/32 (3.1 %) above the true value, over the whole range of uint64. 15 KiB each, so one per processor
// and per quantity.
//
// Single writer: record() by its owner only (no locked instruction, no lost update). Readers merge it into a
// histogram of their own at any time; each bucket they read is exact at the moment of reading, the sum may be
// a few records older or newer.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace tandem::base {

class Histogram {
 public:
  static constexpr unsigned kSubBucketBits = 5;
  static constexpr std::size_t kSubBuckets = std::size_t{1} << kSubBucketBits;
  // Exact values, then kSubBuckets for each possible leading bit from kSubBucketBits to 63.
  static constexpr std::size_t kBuckets = kSubBuckets * (64 - kSubBucketBits + 1);

  Histogram() noexcept = default;
  Histogram(const Histogram& other) noexcept { merge(other); }
  Histogram& operator=(const Histogram& other) noexcept {
    if (this != &other) {
      reset();
      merge(other);
    }
    return *this;
  }

  // Owner only.
  void record(std::uint64_t value) noexcept {
    add(buckets_[bucket_of(value)], 1);
    add(sum_, value);
    if (value > max_.load(std::memory_order_relaxed)) max_.store(value, std::memory_order_relaxed);
  }

  // Owner of *this only; `other` may be recorded into meanwhile.
  void merge(const Histogram& other) noexcept {
    for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
      const std::uint64_t count = other.buckets_[bucket].load(std::memory_order_relaxed);
      if (count != 0) add(buckets_[bucket], count);
    }
    add(sum_, other.sum());
    if (other.max() > max()) max_.store(other.max(), std::memory_order_relaxed);
  }

  // Owner only.
  void reset() noexcept {
    for (auto& bucket : buckets_) bucket.store(0, std::memory_order_relaxed);
    sum_.store(0, std::memory_order_relaxed);
    max_.store(0, std::memory_order_relaxed);
  }

  // Linear in the number of buckets.
  std::uint64_t count() const noexcept {
    std::uint64_t total = 0;
    for (const auto& bucket : buckets_) total += bucket.load(std::memory_order_relaxed);
    return total;
  }

  // Exact; wraps around at 2^64 (584 years of nanoseconds).
  std::uint64_t sum() const noexcept { return sum_.load(std::memory_order_relaxed); }
  std::uint64_t max() const noexcept { return max_.load(std::memory_order_relaxed); }
  double mean() const noexcept {
    const std::uint64_t records = count();
    return records == 0 ? 0.0 : static_cast<double>(sum()) / static_cast<double>(records);
  }

  // The smallest value that at least `quantile` of the records do not exceed, rounded up to its bucket's last
  // value (never above max()). quantile in [0, 1]; 0 when nothing was recorded.
  std::uint64_t percentile(double quantile) const noexcept {
    const std::uint64_t records = count();
    if (records == 0) return 0;
    const double wanted = quantile * static_cast<double>(records);
    std::uint64_t rank = wanted <= 1.0 ? 1 : static_cast<std::uint64_t>(wanted);
    if (static_cast<double>(rank) < wanted) ++rank;
    std::uint64_t seen = 0;
    for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
      seen += buckets_[bucket].load(std::memory_order_relaxed);
      if (seen >= rank) return last_value_of(bucket) < max() ? last_value_of(bucket) : max();
    }
    return max();
  }

  // Calls f(first value, last value, count) for every bucket that is not empty, in ascending order.
  template <typename F>
  void for_each_bucket(F&& f) const {
    for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
      const std::uint64_t records = buckets_[bucket].load(std::memory_order_relaxed);
      if (records != 0) f(first_value_of(bucket), last_value_of(bucket), records);
    }
  }

  static constexpr std::size_t bucket_of(std::uint64_t value) noexcept {
    if (value < kSubBuckets) return static_cast<std::size_t>(value);
    const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - 1 - kSubBucketBits;
    // value >> shift is in [32, 64): its leading bit adds one more group of 32 to shift groups.
    return shift * kSubBuckets + static_cast<std::size_t>(value >> shift);
  }
  static constexpr std::uint64_t first_value_of(std::size_t bucket) noexcept {
    if (bucket < kSubBuckets) return bucket;
    const std::size_t shift = bucket / kSubBuckets - 1;
    return static_cast<std::uint64_t>(bucket % kSubBuckets + kSubBuckets) << shift;
  }
  static constexpr std::uint64_t last_value_of(std::size_t bucket) noexcept {
    return bucket + 1 == kBuckets ? ~std::uint64_t{0} : first_value_of(bucket + 1) - 1;
  }

 private:
  // Not fetch_add: the owner is the only writer. Relaxed: readers want figures, not an order.
  static void add(std::atomic<std::uint64_t>& counter, std::uint64_t amount) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }

  std::array<std::atomic<std::uint64_t>, kBuckets> buckets_{};
  std::atomic<std::uint64_t> sum_{0};
  std::atomic<std::uint64_t> max_{0};
};

}  // namespace tandem::base
