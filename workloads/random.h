// xorshift: the twins in other languages draw the same numbers.
#pragma once

#include <cstdint>

namespace workloads {

class Random {
 public:
  // `seed` must not be 0.
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }
  std::uint64_t below(std::uint64_t limit) { return next() % limit; }

 private:
  std::uint64_t state_;
};

// The seed of the goroutine `number` of a workload: 0, 1, 2 ... Neighbours draw unrelated numbers at once.
inline std::uint64_t seed_of(int number) {
  return 88172645463325252u + static_cast<std::uint64_t>(number) * 11400714819323198485u;
}

}  // namespace workloads
