// The cold halves of tandem/detail/barrier.h. No safepoint lies between the test of the flag and the store.

#include "tandem/detail/barrier.h"

#include "gc/counters.h"
#include "gc/marker.h"
#include "gc/persistent_roots.h"
#include "gc/planted_bugs.h"
#include "gc/processor_state.h"
#include "gc/stack_summary.h"
#include "runtime/base/assert.h"
#include "runtime/seam/phase.h"

namespace tandem::gc {

namespace {

bool marking() { return seam::is_marking(seam::current_phase()); }

// After the commit nothing is shaded (correction 13.12): a value that is reachable then is marked, or was allocated white
// by a processor past handshake 4, and who got it from there also sees the phase that came before.
void shade_now(const void* address) {
  if (address == nullptr || !marking()) return;
  detail::GoroutineWords* goroutine = detail::current_goroutine();
  // On a worker's own stack (a timer that fires, the poller) or another thread: left to the end of marking.
  if (goroutine == nullptr) return persistent_roots.shade_later(address);
  auto& processor = *static_cast<seam::Processor*>(goroutine->processor);
  counters.by_processor[processor.index].barrier_shades.add(1);
  marker.shade(*processor.gc, reinterpret_cast<std::uintptr_t>(address));
}

}  // namespace

}  // namespace tandem::gc

namespace tandem::detail {

void shade(const void* address) {
  if (!gc::planted(gc::PlantedBug::kNoShadeOfLoads)) gc::shade_now(address);
}

void local_written_slow(const void* slot, const void* value) {
  const std::uint8_t bits = barrier_bits();
  if (bits & kBarrierLoads) shade(value);
  if (bits & kBarrierSummaries) gc::stack_summaries.slot_written(slot);
}

void store_with_barrier(std::atomic<void*>& slot, void* value) {
  // Exchange: each overwritten value is seen by exactly one writer. Release: publishes the new object; acquire: the old one
  // is about to be looked at.
  void* const old = slot.exchange(value, std::memory_order_acq_rel);
  const std::uint8_t bits = barrier_bits();
  if ((bits & kBarrierOldValues) && !gc::planted(gc::PlantedBug::kNoShadeOfOldValue)) gc::shade_now(old);
  if ((bits & kBarrierNewValues) && !gc::planted(gc::PlantedBug::kNoShadeOfNewValue)) gc::shade_now(value);
}

}  // namespace tandem::detail
