#pragma once
// How large the slow tests are: TANDEM_TEST_SCALE, 1 when it is not set. The presets of the sanitizers, under which
// everything takes 5 to 20 times as long, ask for less of the same, the preset for long runs for more.

#include <algorithm>
#include <concepts>
#include <cstdlib>

namespace tandem::test {

inline double scale() {
  const char* const text = std::getenv("TANDEM_TEST_SCALE");
  return text != nullptr ? std::atof(text) : 1.0;
}

/// `count` times the scale, but not less than `at_least`.
template <std::integral Count>
Count scaled(Count count, Count at_least = 1) {
  return std::max(static_cast<Count>(static_cast<double>(count) * scale()), at_least);
}

}  // namespace tandem::test
