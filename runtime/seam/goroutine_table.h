#pragma once
// All goroutine descriptors, in one dense array of reserved address space: walking a million parked ones is a linear read,
// a descriptor never moves, and its address tells that it is one.

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "runtime/base/intrusive_queue.h"
#include "runtime/base/spin_lock.h"
#include "runtime/seam/goroutine.h"

namespace tandem::seam {

class GoroutineTable {
 public:
  static constexpr std::size_t kMaxGoroutines = std::size_t{1} << 24;

  /// Reserves the address space on first use. Throws std::bad_alloc when it is refused.
  void initialise();

  /// Takes up to `wanted` dead descriptors for a processor's cache, linked by `next`, never-used ones last.
  /// Returns null when the table is full or memory is refused.
  Goroutine* take_batch(std::uint32_t wanted);
  /// Gives a list of dead descriptors (linked by `next`) back.
  void give_batch(Goroutine* first, Goroutine* last);

  /// Descriptors that were ever used: indices [0, used()). Those beyond are zero pages.
  std::size_t used() const { return used_.load(std::memory_order_acquire); }
  Goroutine& at(std::size_t index) { return table_[index]; }
  /// Does the address lie in a descriptor? (Closures of goroutines live there.)
  bool contains(std::uintptr_t address) const {
    return address - reinterpret_cast<std::uintptr_t>(table_) < kMaxGoroutines * sizeof(Goroutine);
  }

  /// Fresh goroutine ids, `count` of them, from the returned one on.
  std::uint64_t take_ids(std::uint64_t count) { return next_id_.fetch_add(count, std::memory_order_relaxed); }

 private:
  friend struct DebuggerAccess;  // debugger_layout.cpp

  Goroutine* table_ = nullptr;
  std::atomic<std::size_t> used_{0};
  std::atomic<std::uint64_t> next_id_{1};
  base::SpinLock lock_;
  Goroutine* free_ = nullptr;  // guarded by lock_
};

}  // namespace tandem::seam
