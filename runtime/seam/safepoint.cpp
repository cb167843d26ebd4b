#include "runtime/seam/safepoint.h"

#include <cerrno>

#include "runtime/seam/registry.h"
#include "runtime/seam/requests.h"
#include "tandem/detail/indivisible.h"
#include "tandem/runtime.h"

namespace tandem::seam {

std::uint64_t collector_quantum_ns() {
  return static_cast<std::uint64_t>(registry.options->mark_share * static_cast<double>(kQuantumIntervalNs));
}

bool serve_requests(Processor& processor) {
  const detail::Indivisible serving;
  // The verifier scans goroutines that stand at a safepoint from here on (verify_after_mark).
  if (processor.running != nullptr)
    __atomic_store_n(&processor.running->context.sp, __builtin_frame_address(0), __ATOMIC_RELEASE);
  const std::uint32_t bits = take_requests(processor);
  if (bits & kRequestHandshake) registry.handshake.acknowledge(processor);
  if ((bits & kRequestCollectorQuantum) && !registry.world_stop.active())
    registry.collector->work(processor, collector_quantum_ns(), WorkKind::kFractional);
  // Last, and whether or not the bit was among these: a stop may have begun since they were taken, by a step of the cycle that
  // was completed just above, and the handshake after it been acknowledged on the way. Who began the stop relies on it that
  // whoever acknowledged that handshake stays here (world_stop.h).
  if (registry.world_stop.active()) registry.world_stop.hold(processor);
  return (bits & kRequestPreempt) != 0;
}

}  // namespace tandem::seam

namespace tandem::detail {

// Out of line and cold. errno is the caller's: whatever is done here must not show in it.
[[gnu::noinline]] void safepoint_slow() {
  auto* goroutine = static_cast<seam::Goroutine*>(current_goroutine());
  if (goroutine == nullptr) return;  // a thread's own stack: nothing to preempt, its worker serves requests in its loop
  // In the f of blocking(f) the processor may be somebody else's by now.
  if (goroutine->state.load(std::memory_order_relaxed) != seam::kRunning) [[unlikely]]
    return;
  auto& processor = *static_cast<seam::Processor*>(goroutine->processor);
  if (seam::registry.handshake.zealous()) [[unlikely]] {
    __atomic_store_n(&goroutine->context.sp, __builtin_frame_address(0), __ATOMIC_RELEASE);  // as in serve_requests()
    seam::registry.handshake.request_nothing(processor);
  }
  if (!seam::requests_pending(processor)) return;  // another processor's request
  const int saved_errno = errno;
  const bool give_up = seam::serve_requests(processor);
  // Before the switch, which carries it: compilers keep the address of errno, and after it we may be on another thread.
  errno = saved_errno;
  if (give_up) seam::registry.scheduler->preempt_running(*goroutine);
}

}  // namespace tandem::detail
