// A small, fast, seedable generator for scheduling choices (victims, select cases) and tests.
//
// xorshift64* (Vigna): 64 bits of state, never zero, a few cycles. Not for secrets. The same seed gives the
// same sequence on every platform, which deterministic scheduling relies on.
#pragma once

#include <cstdint>

#include "runtime/base/assert.h"

namespace tandem::base {

class Random {
 public:
  explicit constexpr Random(std::uint64_t seed = 1) noexcept : state_(mix(seed)) {}

  constexpr std::uint64_t next() noexcept {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545F4914F6CDD1DULL;
  }

  // Uniform in [0, bound), bound > 0, by multiplication of the better upper half; the bias is below bound /
  // 2^32.
  constexpr std::uint32_t below(std::uint32_t bound) noexcept {
    TANDEM_ASSERT(bound > 0);
    return static_cast<std::uint32_t>(((next() >> 32) * bound) >> 32);
  }

 private:
  // splitmix64's finaliser: neighbouring seeds (processor numbers) give unrelated sequences.
  static constexpr std::uint64_t mix(std::uint64_t seed) noexcept {
    seed += 0x9E3779B97F4A7C15ULL;
    seed = (seed ^ (seed >> 30)) * 0xBF58476D1CE4E5B9ULL;
    seed = (seed ^ (seed >> 27)) * 0x94D049BB133111EBULL;
    seed ^= seed >> 31;
    return seed != 0 ? seed : 1;
  }

  std::uint64_t state_;
};

}  // namespace tandem::base
