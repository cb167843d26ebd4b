#pragma once
// A histogram of durations with a bounded relative error, in the log-linear layout of HdrHistogram: every
// power of two is cut into 32 equal buckets, so that a percentile is at most 1/32 (3.2 %) too large and never
// too small. Recording is an index computation and an increment. Not thread-safe: every recorder owns one,
// and they are merged when all have ended.
#include <cstdint>
#include <vector>

namespace lab {

class LatencyHistogram {
 public:
  LatencyHistogram();

  void record(std::uint64_t nanoseconds);
  void merge(const LatencyHistogram& other);

  std::uint64_t count() const { return count_; }
  std::uint64_t max() const { return max_; }

  // The smallest recorded duration (rounded up to its bucket's end, never beyond max()) that at least the
  // fraction `quantile` in [0, 1] of all recorded ones does not exceed; 0 when nothing was recorded.
  std::uint64_t percentile(double quantile) const;

 private:
  std::vector<std::uint64_t> buckets_;
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace lab
