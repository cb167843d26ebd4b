#include "gc/root_walk.h"

#include <algorithm>

#include "gc/attachments.h"
#include "gc/counters.h"
#include "gc/persistent_roots.h"
#include "gc/roots.h"
#include "gc/stack_summary.h"
#include "runtime/base/spin_lock.h"
#include "runtime/context/stack.h"
#include "runtime/seam/phase.h"
#include "runtime/seam/registry.h"
#include "runtime/seam/scan_claim.h"
#include "tandem/runtime.h"

namespace tandem::gc {

RootWalk root_walk;

namespace {

/// Goroutines a worker takes at a time: some 10 us of scanning when all are parked.
constexpr std::size_t kGoroutinesPerChunk = 128;

/// How far ahead of the walk descriptors are fetched.
constexpr std::size_t kDescriptorsAhead = 8;

/// A goroutine that was deep once may live on for long. One in so many is looked at in each cycle, the others in the next ones.
/// The look is a system call; where summaries save the walk it would be most of what is left, so it comes more rarely.
constexpr std::size_t kCyclesPerRelease = 16;
constexpr std::size_t kCyclesPerReleaseOfMany = 64;

/// Its stack is claimed.
void release_deep_pages(const seam::Goroutine& goroutine, ProcessorCounters& counted) {
  const std::uint32_t state = goroutine.state.load(std::memory_order_relaxed) & seam::kStateMask;
  if (state == seam::kBlocked || goroutine.context.sp == nullptr) return;  // f runs below sp; or there is no stack yet
  counted.stack_bytes_released.add(
      seam::registry.stacks->release_deep(goroutine.stack, context::live_low(goroutine.context)));
}

/// roots_by = owner: the processor that the goroutine ran on last; some processor if it never ran. It changes only when another
/// one resumes the goroutine, which has scanned it then.
__attribute__((no_sanitize("thread"))) std::uint32_t owner_of(const seam::Goroutine& goroutine, std::size_t index) {
  const auto* const owner = static_cast<const seam::Processor*>(goroutine.processor);
  return owner != nullptr ? owner->index : static_cast<std::uint32_t>(index % seam::registry.processor_count);
}

/// Its stack is claimed.
void walk_stack(seam::Goroutine& goroutine, std::size_t index, bool looks_at_pages, seam::Processor& processor) {
  const std::uint64_t park = stack_summaries.on() ? stack_summaries.begin_making(goroutine, index) : 0;
  if (park == 0) return scan_goroutine(goroutine, processor);
  FewRoots roots;
  scan_goroutine(goroutine, processor, &roots);
  stack_summaries.end_making(index, park, roots, looks_at_pages);
}

bool pages_are_due(std::size_t index) {
  if (!seam::registry.options->stack_shrink) return false;
  const std::size_t cycles = stack_summaries.on() ? kCyclesPerReleaseOfMany : kCyclesPerRelease;
  return (index + seam::collector_clock.cycle.load(std::memory_order_relaxed)) % cycles == 0;
}

/// False: it cannot be claimed now.
bool scan_parked(seam::Goroutine& goroutine, std::size_t index, std::uint64_t round, seam::Processor& processor) {
  if (!seam::claim_for_scan(goroutine)) return false;
  const bool looks_at_pages = pages_are_due(index);
  if (goroutine.scanned_round.load(std::memory_order_relaxed) < round)
    walk_stack(goroutine, index, looks_at_pages, processor);
  if (looks_at_pages) release_deep_pages(goroutine, counters.by_processor[processor.index]);
  if (seam::release_scan_claim(goroutine)) seam::registry.scheduler->enqueue(goroutine, processor);
  return true;
}

bool owners_scan() { return seam::registry.options->roots_by == Options::RootsBy::owner; }

}  // namespace

void RootWalk::begin() {
  const std::size_t goroutines = seam::registry.goroutines.used();
  goroutines_.store(goroutines, std::memory_order_relaxed);
  // First the table of Persistents, then the handles of weak references; the goroutines have cursors of their own.
  common_chunks_.store(1 + (attachments.any_handles() ? Attachments::kShards : 0), std::memory_order_relaxed);
  goroutine_chunks_.store((goroutines + kGoroutinesPerChunk - 1) / kGoroutinesPerChunk, std::memory_order_relaxed);
  walks_.store(owners_scan() ? seam::registry.processor_count : 1, std::memory_order_relaxed);
  done_chunks_.store(0, std::memory_order_relaxed);
  for (std::uint32_t walk = 0; walk < walks(); ++walk) next_of_walk_[walk].store(0, std::memory_order_relaxed);
  next_common_.store(0, std::memory_order_release);
}

bool RootWalk::chunks_left() const {
  if (next_common_.load(std::memory_order_acquire) < common_chunks()) return true;
  for (std::uint32_t walk = 0; walk < walks(); ++walk)
    if (next_of_walk_[walk].load(std::memory_order_relaxed) < goroutine_chunks()) return true;
  return false;
}

bool RootWalk::step(seam::Processor& processor) {
  if (!chunks_left()) return false;
  if (next_common_.load(std::memory_order_relaxed) < common_chunks()) {
    const std::size_t chunk = next_common_.fetch_add(1, std::memory_order_relaxed);
    if (chunk == 0)
      persistent_roots.scan(*processor.gc);
    else if (chunk < common_chunks())
      attachments.scan(chunk - 1, *processor.gc);
    if (chunk < common_chunks()) return true;
  }
  if (walks() == 1) return step_of_walk(0, processor);
  if (step_of_walk(processor.index, processor)) return true;
  // Others' goroutines only where nobody drives their processor.
  for (const seam::Processor& other : seam::registry.all_processors())
    if (other.status.load(std::memory_order_relaxed) != seam::ProcessorStatus::kRunning &&
        step_of_walk(other.index, processor))
      return true;
  return false;
}

bool RootWalk::step_of_walk(std::uint32_t walk, seam::Processor& processor) {
  if (next_of_walk_[walk].load(std::memory_order_relaxed) >= goroutine_chunks()) return false;
  const std::size_t chunk = next_of_walk_[walk].fetch_add(1, std::memory_order_relaxed);
  if (chunk >= goroutine_chunks()) return false;
  scan_goroutines(chunk, walk, processor);
  return true;
}

bool RootWalk::finished_by_me() {
  // Acquire-release: the last one sees what all others scanned.
  return done_chunks_.fetch_add(1, std::memory_order_acq_rel) + 1 == chunks();
}

void RootWalk::scan_goroutines(std::size_t chunk, std::uint32_t walk, seam::Processor& processor) {
  const std::uint64_t round = seam::collector_clock.root_round.load(std::memory_order_relaxed);
  const std::size_t end = std::min(goroutines_.load(std::memory_order_relaxed), (chunk + 1) * kGoroutinesPerChunk);
  seam::GoroutineTable& table = seam::registry.goroutines;
  std::uint64_t waiting = 0;
  std::uint64_t skipped = 0;
  for (std::size_t i = chunk * kGoroutinesPerChunk; i < end; ++i) {
    seam::Goroutine& goroutine = table.at(i);
    __builtin_prefetch(&goroutine + kDescriptorsAhead);
    while (goroutine.scanned_round.load(std::memory_order_acquire) < round) {
      const std::uint32_t state = goroutine.state.load(std::memory_order_acquire);
      if (state == seam::kDead) break;
      if (walks() > 1 && owner_of(goroutine, i) != walk) break;
      waiting += state == seam::kWaiting;
      if (stack_summaries.on() && stack_summaries.use(goroutine, i, round, pages_are_due(i), *processor.gc)) {
        ++skipped;
        break;
      }
      if (scan_parked(goroutine, i, round, processor)) break;
      base::cpu_relax();  // a worker scans it, to resume it; or it has just ended
    }
  }
  counters.by_processor[processor.index].stacks_skipped.add(skipped);
  if (stack_summaries.on()) stack_summaries.count(waiting);
}

}  // namespace tandem::gc
