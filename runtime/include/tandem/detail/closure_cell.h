#pragma once
// A callable that the runtime keeps: it lies in a cell that the collector scans like a stack, so that it may
// hold Locals. (The cell is the closure of a goroutine that is never started; see sched/closure_cell.cpp.)

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

#include "tandem/detail/closure.h"
#include "tandem/detail/words.h"

namespace tandem::detail {

/// A zeroed, scanned cell of `bytes`, aligned to 64. On a goroutine. Throws std::bad_alloc. `owner` is static
/// text for dumps.
GoroutineWords* allocate_closure_cell(const ClosureOperations& operations, std::size_t bytes, const char* owner);
void* closure_in_cell(GoroutineWords* cell) noexcept;
/// Gives the cell back; its content has been destroyed, or was never constructed.
void free_closure_cell(GoroutineWords* cell) noexcept;
/// Destroys what is in the cell, then gives it back.
void destroy_closure_cell(GoroutineWords* cell) noexcept;

/// Owns one cell. May lie anywhere; is destroyed while the runtime runs.
class ClosureCell {
 public:
  ClosureCell() noexcept = default;
  ClosureCell(ClosureCell&& other) noexcept : cell_(std::exchange(other.cell_, nullptr)) {}
  ClosureCell& operator=(ClosureCell&& other) noexcept {
    std::swap(cell_, other.cell_);
    return *this;
  }
  ~ClosureCell() {
    if (cell_ != nullptr) destroy_closure_cell(std::exchange(cell_, nullptr));
  }

  /// A cell with a T constructed from `arguments`; `T` is what get() points to.
  template <class T, class... Arguments>
  static ClosureCell make(const char* owner, Arguments&&... arguments) {
    static constexpr ClosureOperations kOperations{nullptr,
                                                   [](void* closure) noexcept { static_cast<T*>(closure)->~T(); }};
    static_assert(alignof(T) <= 64, "a kept callable is aligned to at most 64 bytes");
    GoroutineWords* const cell = allocate_closure_cell(kOperations, sizeof(T), owner);
    try {
      ::new (closure_in_cell(cell)) T(std::forward<Arguments>(arguments)...);
    } catch (...) {
      free_closure_cell(cell);
      throw;
    }
    return ClosureCell(cell);
  }

  void* get() const noexcept { return cell_ != nullptr ? closure_in_cell(cell_) : nullptr; }

 private:
  explicit ClosureCell(GoroutineWords* cell) noexcept : cell_(cell) {}

  GoroutineWords* cell_ = nullptr;
};

}  // namespace tandem::detail
