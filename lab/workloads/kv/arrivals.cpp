#include "lab/workloads/kv/arrivals.h"

#include <cmath>

namespace lab::kv_load {

Arrivals::Arrivals(const std::string& kind, double per_second, std::uint64_t seed)
    : poisson_(kind == "poisson"), mean_ns_(1e9 / per_second), random_(seed) {}

// The gaps of a Poisson process are distributed exponentially.
double Arrivals::gap_ns() { return poisson_ ? -mean_ns_ * std::log1p(-draw_unit(random_)) : mean_ns_; }

std::chrono::nanoseconds Arrivals::next() {
  time_ns_ += gap_ns();
  return std::chrono::nanoseconds(std::llround(time_ns_));
}

}  // namespace lab::kv_load
