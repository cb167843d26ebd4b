#pragma once
// The allocation fast path: a count-trailing-zeros on a word of free cells that the processor owns.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "tandem/detail/checks.h"
#include "tandem/detail/layout.h"
#include "tandem/detail/words.h"

namespace tandem::detail {

/// Refills the window of `layout` and takes a cell. A safepoint: may park, run collector work, or throw std::bad_alloc.
void* allocate_slow(LayoutNumber layout);

/// An object larger than kLargestCellBytes, zeroed. A safepoint; may throw std::bad_alloc.
void* allocate_large(PatternNumber pattern, std::size_t bytes);

/// Remembers that the object in `cell` is constructed and wants its destructor run, which is what the pattern's destroy function
/// does.
void mark_constructed(void* cell, DestroyFunction destroy);

/// A cell of the layout, not zeroed. It is not rooted yet: the caller makes a Local of it before anything else.
[[gnu::always_inline]] inline void* allocate_cell(LayoutNumber layout, std::size_t cell_bytes) {
  if constexpr (kDebugChecks) check_may_allocate();
  const GoroutineWords* goroutine = current_goroutine();
  if (goroutine == nullptr) [[unlikely]]
    return allocate_slow(layout);
  AllocationWindow& window = goroutine->processor->windows[layout];
  const std::uint64_t free = window.free_cells;
  if (free == 0) [[unlikely]]
    return allocate_slow(layout);
  window.free_cells = free & (free - 1);
  return window.first_cell + static_cast<std::size_t>(std::countr_zero(free)) * cell_bytes;
}

/// A cell for one T; zeroed where the collector may read it before the constructor has written it.
template <class T>
[[gnu::always_inline]] inline void* allocate_object() {
  using Layout = ObjectLayout<T>;
  if constexpr (Layout::kClass == kSizeClasses) {
    static_assert(sizeof(T) <= (std::size_t{1} << 30), "a managed object is at most 1 GiB");
    return allocate_large(Layout::number() / kSizeClasses, sizeof(T));
  } else {
    void* cell = allocate_cell(Layout::number(), kCellBytes[Layout::kClass]);
    if constexpr (!kIsLeaf<T>) std::memset(cell, 0, sizeof(T));
    return cell;
  }
}

}  // namespace tandem::detail
