#pragma once
// The spin lock of channels and synchronisation objects: one byte that user code takes inline. Held for a few
// dozen instructions, never while a goroutine parks (the commit of a park releases it after the switch).

#include <atomic>

#include "tandem/detail/parallel.h"

namespace tandem::detail {

/// Spins until `locked` is ours; yields the thread when the holder does not seem to run.
[[gnu::cold]] void spin_lock_slow(std::atomic<bool>& locked) noexcept;

class SpinLock {
 public:
  constexpr SpinLock() noexcept = default;
  SpinLock(const SpinLock&) = delete;
  SpinLock& operator=(const SpinLock&) = delete;

  /// On one processor the lock is always free: it is not held while a goroutine parks or polls.
  [[gnu::always_inline]] void lock() noexcept {
    if (!run_in_parallel()) return;
    // Acquire: pairs with the release in unlock; we see what the last holder wrote.
    if (locked_.exchange(true, std::memory_order_acquire)) [[unlikely]]
      spin_lock_slow(locked_);
  }

  /// One store, and the last access to the object: who takes the lock afterwards may destroy it.
  [[gnu::always_inline]] void unlock() noexcept { locked_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool> locked_{false};
};

}  // namespace tandem::detail
