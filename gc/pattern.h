#pragma once
// Pointer patterns, as registered (tandem/detail/layout.h), in the form the marker wants.

#include <cstdint>
#include <vector>

#include "tandem/detail/layout.h"

namespace tandem::gc {

struct Pattern {
  std::vector<std::uint32_t> offsets;  // bytes from the start of the object or element
  std::uint64_t bitmap = 0;            // the same as bits of words, when all lie in the first 64 words
  bool bitmap_complete = true;
  std::uint32_t first = 0;
  std::uint32_t stride = 0;  // 0: single object
  detail::DestroyFunction destroy = nullptr;

  bool leaf() const { return offsets.empty(); }
};

/// The pattern with this number; valid for ever. Any thread.
const Pattern& pattern_at(detail::PatternNumber number);

}  // namespace tandem::gc
