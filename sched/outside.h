#pragma once
// Making goroutines runnable where no processor is at hand: foreign threads, and ports that are called without one.

#include "runtime/seam/goroutine.h"
#include "runtime/seam/scan_claim.h"
#include "sched/monitor.h"
#include "sched/shared.h"

namespace tandem::sched {

/// waiting -> runnable, as seam::make_runnable, by somebody who does not know whether stacks can be claimed just now: always
/// by compare-and-swap. False: it is being scanned, its scanner will enqueue it.
inline bool make_runnable_outside(Goroutine& goroutine) {
  std::uint32_t state = goroutine.state.load(std::memory_order_relaxed);
  for (;;) {
    const bool claimed = (state & seam::kScanClaim) != 0;
    const std::uint32_t next = claimed ? (state | seam::kWakeNote) : static_cast<std::uint32_t>(seam::kRunnable);
    if (goroutine.state.compare_exchange_weak(state, next, std::memory_order_acq_rel, std::memory_order_relaxed))
      return !claimed;
  }
}

/// Enqueues a runnable goroutine and wakes a worker for it.
inline void inject(Goroutine& goroutine) {
  shared->injection.push(goroutine);
  wake_for_work();
  hurry_monitor();  // perhaps the processor that is to run it is with a worker in blocking(f)
}

}  // namespace tandem::sched
