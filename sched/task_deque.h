#pragma once
// The tasks of one processor: goroutines of task groups that have not run yet. A Chase-Lev deque of fixed size (Chase and Lev,
// "Dynamic circular work-stealing deque", 2005): the owner pushes and pops the youngest, so that a tree of tasks is walked
// depth first, with few alive and all in the cache; thieves take the oldest, which has the most below it.
//
// D1  Only the owner writes `bottom_`; `top_` only grows, by the compare-and-swap of whoever takes the oldest.
// D2  The owner takes a slot without one if, after bottom_ has come down to it, top_ has not reached it. Of the owner, which
//     stores bottom_ and then loads top_, and a thief, which loads top_ and then bottom_ (all sequentially consistent), at
//     least one sees the other: a thief that saw the old bottom_ took top_ before the owner's load, or its
//     compare-and-swap is ordered after and fails only if top_ moved; for the last task both use it, and one wins.
// D3  bottom_ is stored with release after the slot, loaded with acquire before it: a thief finds the goroutine as it was
//     written. A slot is written again only when top_ has passed it, so a thief that read it then loses its
//     compare-and-swap.

#include <array>
#include <atomic>
#include <cstdint>

#include "runtime/base/cache_line.h"
#include "runtime/seam/goroutine.h"

namespace tandem::sched {

using seam::Goroutine;

class TaskDeque {
 public:
  static constexpr std::uint32_t kSlots = 256;

  explicit TaskDeque(bool has_thieves) : has_thieves_(has_thieves) {}

  // -- Owner.

  /// False: full.
  bool push(Goroutine& goroutine) {
    const std::uint32_t bottom = bottom_.load(std::memory_order_relaxed);
    if (bottom - top_.load(std::memory_order_acquire) >= kSlots) [[unlikely]]
      return false;
    slot(bottom).store(&goroutine, std::memory_order_relaxed);
    bottom_.store(bottom + 1, std::memory_order_release);  // D3
    return true;
  }

  /// The youngest, or null.
  Goroutine* pop() {
    std::uint32_t bottom = bottom_.load(std::memory_order_relaxed);
    std::uint32_t top = top_.load(std::memory_order_relaxed);
    if (top == bottom) [[likely]]
      return nullptr;
    --bottom;
    Goroutine* const goroutine = slot(bottom).load(std::memory_order_relaxed);
    if (!has_thieves_) {
      bottom_.store(bottom, std::memory_order_relaxed);
      return goroutine;
    }
    bottom_.store(bottom, std::memory_order_seq_cst);
    top = top_.load(std::memory_order_seq_cst);
    if (static_cast<std::int32_t>(bottom - top) > 0) return goroutine;  // D2
    const bool won = bottom == top && top_.compare_exchange_strong(top, top + 1, std::memory_order_seq_cst);
    bottom_.store(bottom + 1, std::memory_order_release);  // empty: top_ is there as well
    return won ? goroutine : nullptr;
  }

  // -- Thieves.

  /// The oldest; null: there is none, or somebody else took it.
  Goroutine* steal() {
    std::uint32_t top = top_.load(std::memory_order_seq_cst);
    const std::uint32_t bottom = bottom_.load(std::memory_order_seq_cst);
    if (static_cast<std::int32_t>(bottom - top) <= 0) return nullptr;
    Goroutine* const goroutine = slot(top).load(std::memory_order_relaxed);
    return top_.compare_exchange_strong(top, top + 1, std::memory_order_seq_cst) ? goroutine : nullptr;
  }

  // -- Anybody. A hint, exact when the owner is quiet.

  bool empty() const {
    return static_cast<std::int32_t>(bottom_.load(std::memory_order_acquire) - top_.load(std::memory_order_acquire)) <=
           0;
  }

 private:
  std::atomic<Goroutine*>& slot(std::uint32_t index) { return slots_[index % kSlots]; }

  std::atomic<std::uint32_t> bottom_{0};
  const bool has_thieves_;
  alignas(base::kCacheLineBytes) std::atomic<std::uint32_t> top_{0};
  alignas(base::kCacheLineBytes) std::array<std::atomic<Goroutine*>, kSlots> slots_{};
};

}  // namespace tandem::sched
