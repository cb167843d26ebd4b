#pragma once
// Transitions of a goroutine's state against the collector workers that claim parked stacks. See goroutine.h for the table
// of states and handshake.h for why plain stores are enough while scan_mode is kNone.

#include "runtime/seam/goroutine.h"
#include "runtime/seam/phase.h"
#include "runtime/seam/processor.h"

namespace tandem::seam {

/// waiting -> runnable, by the waker that owns the wake-up. True: the caller must enqueue the goroutine. False: it is being
/// scanned; its scanner will. Release: the waker's writes are seen by who runs it.
inline bool make_runnable(Goroutine& goroutine, const Processor& here) {
  if (here.scan_mode == ScanMode::kNone) [[likely]] {
    goroutine.state.store(kRunnable, std::memory_order_release);
    return true;
  }
  std::uint32_t state = goroutine.state.load(std::memory_order_relaxed);
  for (;;) {
    const bool claimed = (state & kScanClaim) != 0;
    const std::uint32_t next = claimed ? (state | kWakeNote) : static_cast<std::uint32_t>(kRunnable);
    if (goroutine.state.compare_exchange_weak(state, next, std::memory_order_acq_rel, std::memory_order_relaxed))
      return !claimed;
  }
}

/// runnable -> running, by the worker that dequeued it. False: it is being scanned; put it back and take another.
/// With scan_mode kScanBeforeResume the caller must then scan it if it has not been (needs_scan).
inline bool take_to_run(Goroutine& goroutine, const Processor& here) {
  if (here.scan_mode == ScanMode::kNone) [[likely]] {
    goroutine.state.store(kRunning, std::memory_order_relaxed);
    return true;
  }
  std::uint32_t expected = kRunnable;
  // Acquire: pairs with the scanner's release of its claim.
  return goroutine.state.compare_exchange_strong(expected, kRunning, std::memory_order_acq_rel,
                                                 std::memory_order_relaxed);
}

inline bool needs_scan(const Goroutine& goroutine, const Processor& here) {
  return here.scan_mode == ScanMode::kScanBeforeResume &&
         goroutine.scanned_round.load(std::memory_order_relaxed) <
             collector_clock.root_round.load(std::memory_order_relaxed);
}

/// Claims the stack of a goroutine that does not run. False: it runs, is dead, or somebody else scans it.
inline bool claim_for_scan(Goroutine& goroutine) {
  std::uint32_t state = goroutine.state.load(std::memory_order_relaxed);
  while (state == kRunnable || state == kWaiting || state == kBlocked)
    // Acquire: pairs with the release that published the state after the switch, so the saved context and the frames are
    // those of the parked goroutine.
    if (goroutine.state.compare_exchange_weak(state, state | kScanClaim, std::memory_order_acq_rel,
                                              std::memory_order_relaxed))
      return true;
  return false;
}

/// Gives a claim back. True: a wake-up came meanwhile; the goroutine is runnable now and the caller must enqueue it.
inline bool release_scan_claim(Goroutine& goroutine) {
  std::uint32_t state = goroutine.state.load(std::memory_order_relaxed);
  for (;;) {
    const bool wake = (state & kWakeNote) != 0;
    const std::uint32_t next = wake ? static_cast<std::uint32_t>(kRunnable) : (state & kStateMask);
    if (goroutine.state.compare_exchange_weak(state, next, std::memory_order_acq_rel, std::memory_order_relaxed))
      return wake;
  }
}

}  // namespace tandem::seam
