#pragma once
// A safepoint: a place where a goroutine's roots are complete and it may be switched. A poll costs one load and a branch.
// Nobody polls inside a barrier, a Member load, a Local operation, or between taking a cell and rooting it.

#include "runtime/seam/processor.h"
#include "tandem/detail/words.h"

namespace tandem::seam {

/// Each processor is given a quantum of collector work about once in so long (sched/monitor.cpp).
inline constexpr std::uint64_t kQuantumIntervalNs = 1'000'000;
/// The quantum: Options::mark_share of the interval. Bounds how long a goroutine is kept from running.
std::uint64_t collector_quantum_ns();

/// Serves handshakes, holds and mark quanta of `processor`; by its driver, with no goroutine's stack in transition. Returns
/// true when the running goroutine should give up its processor (its slice is over); the caller decides.
bool serve_requests(Processor& processor);

/// Acquire: pairs with the release in withdraw_request. Who finds nothing pending because it was served on the processor's
/// behalf, or a stop is over, sees what was done meanwhile.
inline bool requests_pending(const Processor& processor) {
  return processor.requests.load(std::memory_order_acquire) != 0;
}

/// Poll of the running goroutine; may park it.
inline void poll() {
  if (detail::global_words.poll.load(std::memory_order_relaxed) != 0) [[unlikely]]
    detail::safepoint_slow();
}

}  // namespace tandem::seam
