#pragma once
// The numbers of processors that every behaviour is tested with.

#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "tandem/detail/checks.h"

namespace tandem::test {

/// 1, 2, 4 and 8. With ThreadSanitizer, which takes ten times as long, those in which there is most to find for it.
inline auto processor_counts() {
  return testing::ValuesIn(detail::kThreadSanitizer ? std::vector<std::uint32_t>{2, 8}
                                                    : std::vector<std::uint32_t>{1, 2, 4, 8});
}

}  // namespace tandem::test
