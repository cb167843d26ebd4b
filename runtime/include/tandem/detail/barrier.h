#pragma once
// Inline halves of the write barrier and of shading. The hybrid barrier of Go (proposal 17503), with a per-cycle switch, is all
// three flags while some stack is unscanned, then the first alone; Dijkstra's (Options::barrier = insertion_rescan) is the last
// alone:
//   kBarrierOldValues  a store exchanges the slot, so that each overwritten value is seen by exactly one writer, and shades it;
//   kBarrierLoads      every value read from a Member and every copied or newly made Local is shaded too, because a scanned
//                      goroutine may be holding what it read through a Local of another, unscanned stack, whose owner then
//                      drops it;
//   kBarrierNewValues  the new value of a store is shaded.
// kBarrierSummaries is no part of the barrier, but the same byte tells of it, so that a Local tests once.
// The flags are one global byte. A processor may see a change late; handshakes 1 and 4 bound how late.

#include <atomic>
#include <cstdint>

#include "tandem/detail/checks.h"
#include "tandem/detail/words.h"

namespace tandem::detail {

/// Marks the object that contains `address` grey; does nothing when no marking goes on. Never parks. Null is allowed.
[[gnu::cold]] void shade(const void* address);

/// Stores `value` to `slot` and shades as the flags ask.
[[gnu::cold]] void store_with_barrier(std::atomic<void*>& slot, void* value);

[[gnu::always_inline]] inline std::uint8_t barrier_bits() {
  return global_words.barrier.load(std::memory_order_relaxed);
}

/// The cold half of local_written.
[[gnu::cold]] void local_written_slow(const void* slot, const void* value);

/// Does `slot` certainly lie on the stack that the caller runs on? A granule belongs to one stack.
[[gnu::always_inline]] inline bool on_own_granule(const void* slot) {
  return (reinterpret_cast<std::uintptr_t>(slot) ^ stack_pointer()) < kStackGranuleBytes;
}

/// To be called after `value` has been stored to a Local at `slot`, in the indivisible section in which it was loaded.
[[gnu::always_inline]] inline void local_written(const void* slot, const void* value) {
  const std::uint8_t bits = barrier_bits();
  if (bits & (kBarrierLoads | kBarrierSummaries)) [[unlikely]] {
    if ((bits & kBarrierLoads) || !on_own_granule(slot)) local_written_slow(slot, value);
  }
}

/// To be called after a Local at `slot` has become null other than by its construction.
[[gnu::always_inline]] inline void local_cleared(const void* slot) {
  if (barrier_bits() & kBarrierSummaries) [[unlikely]] {
    if (!on_own_granule(slot)) local_written_slow(slot, nullptr);
  }
}

/// The store to the pointer of a Local: another goroutine than its owner may make it (a capture by reference) while the
/// owner's stack is scanned. Release: who finds the reference there finds its block laid out. On x86-64 every store
/// is one, and a plain one leaves the compiler free to go on with the value in a register.
template <class T>
[[gnu::always_inline]] inline void store_local(T*& pointer, T* value) {
#if defined(__x86_64__)
  if constexpr (!kThreadSanitizer) {
    pointer = value;
    return;
  }
#endif
  __atomic_store_n(&pointer, value, __ATOMIC_RELEASE);
}

/// The store of every managed slot. Release: who reads the reference sees the object initialised.
[[gnu::always_inline]] inline void store_managed(std::atomic<void*>& slot, void* value) {
  if (barrier_bits() & kBarrierStores) [[unlikely]]
    return store_with_barrier(slot, value);
  slot.store(value, std::memory_order_release);
}

/// First store to a slot that was null: no old value to shade.
[[gnu::always_inline]] inline void initialise_managed(std::atomic<void*>& slot, void* value) {
  if (barrier_bits() & kBarrierNewValues) [[unlikely]]
    shade(value);
  slot.store(value, std::memory_order_release);
}

}  // namespace tandem::detail
