#pragma once
// Do goroutines run in parallel? With one processor they take turns: whoever drives the processor is alone,
// takes its timers too, and hands it over with all its writes. Then no read-modify-write has to be a locked
// instruction, which is most of the cost of an uncontended lock or a buffered channel operation.

#include <atomic>
#include <cstdint>

#include "tandem/detail/indivisible.h"

namespace tandem::detail {

/// False while a run with one processor is on; set by the scheduler before its first and after its last
/// goroutine.
extern constinit std::atomic<bool> goroutines_in_parallel;

[[gnu::always_inline]] inline bool run_in_parallel() { return goroutines_in_parallel.load(std::memory_order_relaxed); }

/// compare_exchange_strong on a word that only goroutines change. Acquire when it succeeds; `release` for
/// unlocking.
[[gnu::always_inline]] inline bool exchange_if_equal(std::atomic<std::uint32_t>& word, std::uint32_t expected,
                                                     std::uint32_t desired, std::memory_order order) {
  TANDEM_INDIVISIBLE;
  if (run_in_parallel()) return word.compare_exchange_strong(expected, desired, order, std::memory_order_relaxed);
  if (word.load(std::memory_order_relaxed) != expected) return false;
  word.store(desired, std::memory_order_relaxed);
  return true;
}

}  // namespace tandem::detail
