#pragma once
// When the requests of an open loop are due.
#include <chrono>
#include <cstdint>
#include <string>

#include "workloads/random.h"

namespace lab::kv_load {

// At constant intervals, or as a Poisson process: independent users, whose requests come in clusters. The same seed
// gives the same times.
class Arrivals {
 public:
  // `kind` is "constant" or "poisson".
  Arrivals(const std::string& kind, double per_second, std::uint64_t seed);

  // The time of the next request from the start of the load; the first one is due after one interval.
  std::chrono::nanoseconds next();

 private:
  double gap_ns();

  const bool poisson_;
  const double mean_ns_;
  double time_ns_ = 0;
  workloads::Random random_;
};

// A number in [0, 1), of 53 random bits.
inline double draw_unit(workloads::Random& random) { return static_cast<double>(random.next() >> 11) * 0x1p-53; }

}  // namespace lab::kv_load
