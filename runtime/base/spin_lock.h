// A lock for critical sections of a few dozen instructions that never park a goroutine and never block.
//
// One byte, so that it fits into descriptors. Test-and-test-and-set: waiters spin on a read, so that they do
// not take the line from the holder. There may be more threads than cores, hence sched_yield after a short
// spin: the holder may not be running. Not fair, not recursive. Works with std::lock_guard and
// std::unique_lock.
#pragma once

#include <atomic>
#include <sched.h>

namespace tandem::base {

inline void cpu_relax() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory");  // `yield` is a no-op on most cores
#endif
}

class SpinLock {
 public:
  constexpr SpinLock() noexcept = default;
  SpinLock(const SpinLock&) = delete;
  SpinLock& operator=(const SpinLock&) = delete;

  void lock() noexcept {
    // Acquire: pairs with the release in unlock, so that we see what the last holder wrote.
    if (!locked_.exchange(true, std::memory_order_acquire)) [[likely]]
      return;
    lock_slow();
  }

  bool try_lock() noexcept {
    return !locked_.load(std::memory_order_relaxed) && !locked_.exchange(true, std::memory_order_acquire);
  }

  // Only by the holder.
  void unlock() noexcept { locked_.store(false, std::memory_order_release); }

  // A hint for assertions ("the caller holds it"); says nothing about who does.
  bool is_locked() const noexcept { return locked_.load(std::memory_order_relaxed); }

 private:
  static constexpr int kSpinsBeforeYield = 100;  // 100 pauses are 1-4 us: longer than a section

  [[gnu::noinline]] void lock_slow() noexcept {
    for (;;) {
      for (int spin = 0; spin < kSpinsBeforeYield; ++spin) {
        if (try_lock()) return;
        cpu_relax();
      }
      ::sched_yield();
    }
  }

  std::atomic<bool> locked_{false};
};

}  // namespace tandem::base
