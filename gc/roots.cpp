#include "gc/roots.h"

#include "gc/attachments.h"
#include "gc/counters.h"
#include "gc/marker.h"
#include "gc/persistent_roots.h"
#include "runtime/base/spin_lock.h"
#include "runtime/seam/phase.h"
#include "runtime/seam/registry.h"
#include "runtime/seam/scan_claim.h"

namespace tandem::gc {

RootWalk root_walk;

namespace {

/// Goroutines a worker takes at a time: some 10 us of scanning when all are parked.
constexpr std::size_t kGoroutinesPerChunk = 128;

struct ShadeContext {
  ProcessorState* state;
};

void shade_root(void* context, std::uintptr_t reference) {
  marker.shade(*static_cast<ShadeContext*>(context)->state, reference);
}

// The stack pointer that the live part of the stack begins at; 0 when the goroutine has no stack yet.
std::uintptr_t live_part_begin(const seam::Goroutine& goroutine) {
  const std::uintptr_t here = detail::stack_pointer();
  if (detail::goroutine_of(here) == &goroutine) return here & ~std::uintptr_t{7};
  return reinterpret_cast<std::uintptr_t>(__atomic_load_n(&goroutine.context.sp, __ATOMIC_ACQUIRE));
}

}  // namespace

[[gnu::noinline]] void for_each_root(seam::Goroutine& goroutine, FoundRoot found, void* context) {
  if (goroutine.closure != nullptr) {
    const auto closure = reinterpret_cast<std::uintptr_t>(goroutine.closure);
    scan_tagged_slots(closure, closure + (goroutine.closure_bytes & ~7U), found, context);
  }
  const std::uintptr_t begin = live_part_begin(goroutine);
  if (begin == 0) return;
  const auto end = reinterpret_cast<std::uintptr_t>(goroutine.stack_base);
  if (begin < end) {
    scan_tagged_slots(begin, end, found, context);
    counters.stack_bytes_scanned.add(end - begin);
  }
  for (const seam::StackSegment* segment = goroutine.segments; segment != nullptr; segment = segment->outer)
    scan_tagged_slots(reinterpret_cast<std::uintptr_t>(segment->scan_from),
                      reinterpret_cast<std::uintptr_t>(segment->scan_to), found, context);
}

void scan_goroutine(seam::Goroutine& goroutine, seam::Processor& processor) {
  ShadeContext context{processor.gc};
  for_each_root(goroutine, &shade_root, &context);
  counters.stacks_scanned.add(1);
  // Release: who sees the goroutine scanned sees its roots marked (or their grey packets counted as activity).
  goroutine.scanned_cycle.store(seam::collector_clock.cycle.load(std::memory_order_relaxed), std::memory_order_release);
}

namespace {

/// A goroutine that was deep once may live on for long. One in so many is looked at in each cycle, the others in the next ones.
constexpr std::size_t kCyclesPerRelease = 16;

/// Its stack is claimed.
void release_deep_pages(const seam::Goroutine& goroutine) {
  const std::uint32_t state = goroutine.state.load(std::memory_order_relaxed) & seam::kStateMask;
  if (state == seam::kBlocked || goroutine.context.sp == nullptr) return;  // f runs below sp; or there is no stack yet
  seam::registry.stacks->release_deep(goroutine.stack, context::live_low(goroutine.context));
}

}  // namespace

void RootWalk::begin() {
  const std::size_t goroutines = seam::registry.goroutines.used();
  goroutines_.store(goroutines, std::memory_order_relaxed);
  // First the table of Persistents, then the handles of weak references, then the goroutines.
  handle_chunks_ = attachments.any_handles() ? Attachments::kShards : 0;
  const std::size_t goroutine_chunks = (goroutines + kGoroutinesPerChunk - 1) / kGoroutinesPerChunk;
  chunks_.store(1 + handle_chunks_ + goroutine_chunks, std::memory_order_relaxed);
  done_chunks_.store(0, std::memory_order_relaxed);
  next_chunk_.store(0, std::memory_order_relaxed);
}

bool RootWalk::step(seam::Processor& processor) {
  if (!chunks_left()) return false;
  const std::size_t chunks = chunks_.load(std::memory_order_relaxed);
  const std::size_t chunk = next_chunk_.fetch_add(1, std::memory_order_relaxed);
  if (chunk >= chunks) return false;
  if (chunk == 0)
    persistent_roots.scan(*processor.gc);
  else if (chunk <= handle_chunks_)
    attachments.scan(chunk - 1, *processor.gc);
  else
    scan_goroutines(chunk - 1 - handle_chunks_, processor);
  return true;
}

bool RootWalk::finished_by_me() {
  // Acquire-release: the last one sees what all others scanned.
  return done_chunks_.fetch_add(1, std::memory_order_acq_rel) + 1 == chunks_.load(std::memory_order_relaxed);
}

void RootWalk::scan_goroutines(std::size_t chunk, seam::Processor& processor) {
  const std::uint64_t cycle = seam::collector_clock.cycle.load(std::memory_order_relaxed);
  const std::size_t end = std::min(goroutines_.load(std::memory_order_relaxed), (chunk + 1) * kGoroutinesPerChunk);
  for (std::size_t i = chunk * kGoroutinesPerChunk; i < end; ++i) {
    seam::Goroutine& goroutine = seam::registry.goroutines.at(i);
    while (goroutine.scanned_cycle.load(std::memory_order_acquire) < cycle) {
      if (goroutine.state.load(std::memory_order_acquire) == seam::kDead) break;
      if (!seam::claim_for_scan(goroutine)) {
        base::cpu_relax();  // a worker scans it, to resume it; or it has just ended
        continue;
      }
      if (goroutine.scanned_cycle.load(std::memory_order_relaxed) < cycle) scan_goroutine(goroutine, processor);
      if ((i + cycle) % kCyclesPerRelease == 0) release_deep_pages(goroutine);
      if (seam::release_scan_claim(goroutine)) seam::registry.scheduler->enqueue(goroutine, processor);
      break;
    }
  }
}

}  // namespace tandem::gc
