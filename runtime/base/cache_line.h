// The unit in which processors fight over memory.
#pragma once

#include <cstddef>

namespace tandem::base {

// A constant rather than std::hardware_destructive_interference_size, which differs between compilers and
// flags and would change the layout of shared structures with them.
inline constexpr std::size_t kCacheLineBytes = 64;

}  // namespace tandem::base
