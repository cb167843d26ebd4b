#pragma once
// The state word of Mutex and SharedMutex. One of its bits is the spin lock of the wait queues. While that is
// set nobody else changes the word: the inline paths expect it clear. So its holder ends with one store that
// gives up the queue, and the lock itself if it is to be given up, at once: its last access, after which the
// object may be destroyed.

#include <atomic>
#include <cstdint>

#include <sched.h>

#include "runtime/base/spin_lock.h"
#include "sched/waiting.h"

namespace tandem::sched {

/// Sets `bit`, waiting for it to be clear, and returns the other bits.
inline std::uint32_t lock_word(std::atomic<std::uint32_t>& word, std::uint32_t bit) {
  constexpr int kSpinsBeforeYield = 100;
  for (int spin = 1;; ++spin) {
    std::uint32_t state = word.load(std::memory_order_relaxed);
    // Acquire: pairs with the release of unlock_word and of the inline unlocks.
    if ((state & bit) == 0 &&
        word.compare_exchange_weak(state, state | bit, std::memory_order_acquire, std::memory_order_relaxed))
      return state;
    base::cpu_relax();
    if (spin % kSpinsBeforeYield == 0) ::sched_yield();
  }
}

/// `state` without the bit. Release: whoever gets the lock, or the queue, sees what was written under it.
inline void unlock_word(std::atomic<std::uint32_t>& word, std::uint32_t state) {
  word.store(state, std::memory_order_release);
}

/// Parks with the queue locked; the commit stores `state`.
inline WakeReason park_unlocking_word(Goroutine& self, const char* reason, const void* object,
                                      std::atomic<std::uint32_t>& word, std::uint32_t state) {
  struct Commit {
    std::atomic<std::uint32_t>* word;
    std::uint32_t state;
  } commit{&word, state};
  return park(
      self, reason, object,
      [](Goroutine&, void* argument) {
        const Commit unlock = *static_cast<Commit*>(argument);
        unlock_word(*unlock.word, unlock.state);
        return true;
      },
      &commit);
}

}  // namespace tandem::sched
