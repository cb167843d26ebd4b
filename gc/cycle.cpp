#include "gc/cycle.h"

#include <algorithm>
#include <cstring>
#include <mutex>

#include "gc/allocator.h"
#include "gc/counters.h"
#include "gc/ephemeron_pass.h"
#include "gc/finalizer.h"
#include "gc/gc_trace.h"
#include "gc/marker.h"
#include "gc/pacer.h"
#include "gc/persistent_roots.h"
#include "gc/planted_bugs.h"
#include "gc/roots.h"
#include "gc/sweeper.h"
#include "gc/verifier.h"
#include "runtime/base/clock.h"
#include "runtime/seam/goroutine.h"
#include "runtime/seam/registry.h"
#include "tandem/runtime.h"

namespace tandem::gc {

using seam::collector_clock;
using seam::Phase;
using seam::Processor;
using seam::registry;

Cycle cycle;

const seam::HandshakeOperation Cycle::kSeeBarrier{"see barrier", &see_barrier, &barrier_seen};
const seam::HandshakeOperation Cycle::kAllocateBlack{"allocate black", &allocate_black, &all_black};
const seam::HandshakeOperation Cycle::kScanRunning{"scan running", &scan_running, &running_scanned};
const seam::HandshakeOperation Cycle::kSettleLoads{"settle loads", &settle_loads, &loads_settled};
const seam::HandshakeOperation Cycle::kFlushGrey{"flush", &flush, &flushed};
const seam::HandshakeOperation Cycle::kVerify{"verify", &stand_still, &verified};
const seam::HandshakeOperation Cycle::kAllocateWhite{"allocate white", &allocate_white, &finished};

namespace {
/// Blocks whose mark bits are cleared at a time: 512 KiB of bitmap, some 30 us.
constexpr std::uint32_t kClearBlocks = 1024;

/// Blocks to sweep that are worth waking a worker for: some 20 us, as long as the wake-up takes.
constexpr std::size_t kSweepBlocksPerWorker = 16;

std::size_t sweep_pieces() { return spaces.unswept_blocks.load(std::memory_order_relaxed) / kSweepBlocksPerWorker; }

bool stops_the_world() { return registry.options->stop == Options::Stop::stop_the_world; }
}  // namespace

void Cycle::begin_run() {
  completed_.store(0, std::memory_order_relaxed);
  roots_open_.store(false, std::memory_order_relaxed);
  forget_clearing();  // the run before may have ended in the middle of it
  collector_clock.cycle.store(0, std::memory_order_relaxed);
  collector_clock.phase.store(Phase::kIdle, std::memory_order_relaxed);
  detail::global_words.barrier.store(0, std::memory_order_relaxed);
}

// Under the lock of the Persistents: a foreign thread that holds it sees one phase throughout its operation.
void Cycle::set_phase(Phase phase, std::uint8_t barrier_bits) {
  const std::lock_guard guard(persistent_roots.lock());
  detail::global_words.barrier.store(barrier_bits, std::memory_order_relaxed);
  collector_clock.phase.store(phase, std::memory_order_seq_cst);
}

std::uint64_t Cycle::next_to_start() const {
  // The cycle first: if one ends in between, the answer is one too many, which only makes the caller wait longer.
  const std::uint64_t current = collector_clock.cycle.load(std::memory_order_acquire);
  const Phase phase = seam::current_phase();
  return phase <= Phase::kFinishSweep ? current + 1 : current + 2;
}

void Cycle::start() {
  Phase idle = Phase::kIdle;
  if (!collector_clock.phase.compare_exchange_strong(idle, Phase::kFinishSweep, std::memory_order_acq_rel)) return;
  started_at_ns_ = base::now_ns();
  pacer.cycle_started();
  registry.scheduler->offer_cycle_step(sweep_pieces() + region.used() / kClearBlocks);
}

bool Cycle::has_work() const {
  switch (seam::current_phase()) {
    case Phase::kIdle: return spaces.unswept_blocks.load(std::memory_order_relaxed) != 0;
    case Phase::kFinishSweep: return true;
    case Phase::kRoots: return roots_open_.load(std::memory_order_acquire) && root_walk.chunks_left();
    case Phase::kMark: return marker.pool.any_published() || marker.active.load(std::memory_order_relaxed) == 0;
    default: return false;
  }
}

bool Cycle::work(Processor& processor, std::uint64_t deadline_ns) {
  switch (seam::current_phase()) {
    case Phase::kIdle: return sweeper.sweep_until(deadline_ns);
    case Phase::kFinishSweep: return sweeper.sweep_until(deadline_ns) || clear_marks(processor);
    case Phase::kRoots: return walk_roots(processor, deadline_ns);
    case Phase::kMark: return mark(processor, deadline_ns);
    default: return false;
  }
}

// Mark bits are cleared when all blocks are swept and before the barrier is on (correction 13.5). Blocks taken meanwhile
// have clear bits from the start.
bool Cycle::clear_marks(Processor& processor) {
  if (!sweeper.finished()) return false;  // another worker sweeps the last blocks
  prepare_clearing();
  const std::uint32_t blocks = clear_blocks_.load(std::memory_order_acquire) - 1;
  const std::uint32_t first = clear_next_.fetch_add(kClearBlocks, std::memory_order_relaxed);
  if (first >= blocks && first != 0) return false;
  const std::uint32_t count = std::min(kClearBlocks, blocks - first);
  if (count != 0) std::memset(static_cast<void*>(region.marks(first)), 0, std::size_t{count} * kBitmapWords * 8);
  // Acquire-release: the last one sees all bits clear. An empty region has one empty chunk.
  if (clear_done_.fetch_add(std::max(count, 1U), std::memory_order_acq_rel) + std::max(count, 1U) >=
      std::max(blocks, 1U))
    begin(processor);
  return true;
}

void Cycle::prepare_clearing() {
  if (clear_blocks_.load(std::memory_order_acquire) != 0) return;
  std::uint32_t unprepared = 0;  // plus one, so that an empty region counts as prepared
  clear_blocks_.compare_exchange_strong(unprepared, region.used() + 1, std::memory_order_acq_rel);
}

void Cycle::forget_clearing() {
  clear_next_.store(0, std::memory_order_relaxed);
  clear_done_.store(0, std::memory_order_relaxed);
  clear_blocks_.store(0, std::memory_order_relaxed);
}

void Cycle::begin(Processor& here) {
  roots_open_.store(false, std::memory_order_relaxed);
  collector_clock.cycle.fetch_add(1, std::memory_order_acq_rel);
  if (stops_the_world()) registry.world_stop.begin();
  set_phase(Phase::kBarrier, detail::kBarrierStores | detail::kBarrierLoads);
  registry.handshake.request(kSeeBarrier, here);
}

// -- Handshake 1: having passed a safepoint is all there is to it: the flag is tested anew at each store.
void Cycle::see_barrier(Processor&) {}
void Cycle::barrier_seen(Processor& here) {
  // Only now: a worker may have stood in clear_marks() until its safepoint, and must not find the cursor at 0 again.
  cycle.forget_clearing();
  if (stops_the_world()) registry.world_stop.all_reached();
  cycle.set_phase(Phase::kBlack, detail::kBarrierStores | detail::kBarrierLoads);
  registry.handshake.request(kAllocateBlack, here);
}

// -- Handshake 2. Not one with handshake 1: a store by a processor that has not seen the barrier into an object that is
// already black would hide a white one.
void Cycle::allocate_black(Processor& processor) {
  ProcessorState& state = state_of(processor);
  state.black_bytes = state.marked_bytes = state.marked_objects = 0;
  processor.allocate_black = true;
  processor.scan_mode = seam::ScanMode::kClaims;
  allocator.blacken_windows(processor);
}
void Cycle::all_black(Processor& here) {
  cycle.set_phase(Phase::kRoots, detail::kBarrierStores | detail::kBarrierLoads);
  registry.handshake.request(kScanRunning, here);
}

// -- Handshake 3: the goroutine that runs is scanned at its safepoint; from now on the others before they are resumed.
void Cycle::scan_running(Processor& processor) {
  processor.scan_mode = seam::ScanMode::kScanBeforeResume;
  seam::Goroutine* goroutine = processor.running;
  // A goroutine in blocking(f) is not running: the walk claims it.
  if (goroutine == nullptr || goroutine->state.load(std::memory_order_relaxed) != seam::kRunning) return;
  scan_goroutine(*goroutine, processor);
}
void Cycle::running_scanned(Processor&) {
  root_walk.begin();
  cycle.roots_open_.store(true, std::memory_order_release);
  registry.scheduler->offer_cycle_step(root_walk.chunks());
}

bool Cycle::walk_roots(Processor& processor, std::uint64_t deadline_ns) {
  if (!roots_open_.load(std::memory_order_acquire)) return false;
  bool any = false;
  while (root_walk.step(processor)) {
    any = true;
    if (root_walk.finished_by_me()) {
      marker.publish_grey(state_of(processor));
      all_scanned(processor);
      return true;
    }
    if (base::now_ns() >= deadline_ns) break;
  }
  if (any) marker.publish_grey(state_of(processor));
  return any;
}

void Cycle::all_scanned(Processor& here) {
  cycle.roots_open_.store(false, std::memory_order_relaxed);
  registry.handshake.request(kSettleLoads, here);
}

// -- Only when every processor has passed a safepoint may loads stop shading: one may have read a reference through a Local
// of a stack that was unscanned then, and be about to test the flag.
void Cycle::settle_loads(Processor&) {}
void Cycle::loads_settled(Processor&) {
  pacer.mark_started();
  ephemeron_pass.reset();
  cycle.mark_started_at_ns_ = base::now_ns();
  cycle.set_phase(Phase::kMark, detail::kBarrierStores);
  // Whoever marks shares what grows out of these, and wakes one more (marker.cpp).
  registry.scheduler->offer_cycle_step(marker.pool.published());
}

bool Cycle::mark_known(ProcessorState& state, std::uint64_t deadline_ns) {
  bool any = marker.drain(state, deadline_ns);
  while (base::now_ns() < deadline_ns && ephemeron_pass.step(state)) {
    any = true;
    marker.drain(state, deadline_ns);
  }
  return any;
}

bool Cycle::mark(Processor& processor, std::uint64_t deadline_ns) {
  ProcessorState& state = state_of(processor);
  // See "the end of marking" above: counted active, then the phase once more.
  marker.active.fetch_add(1, std::memory_order_seq_cst);
  bool any = false;
  if (collector_clock.phase.load(std::memory_order_seq_cst) == Phase::kMark) any = mark_known(state, deadline_ns);
  const bool last = marker.active.fetch_sub(1, std::memory_order_seq_cst) == 1;
  // Having asked for a flush is progress, even when there was nothing to scan: a worker told "nothing" goes to sleep.
  if (last && !marker.pool.any_published() && ephemeron_pass.finished()) any |= try_to_end(processor);
  return any;
}

bool Cycle::try_to_end(Processor& here) {
  for (;;) {
    Phase marking = Phase::kMark;
    if (!collector_clock.phase.compare_exchange_strong(marking, Phase::kFlush, std::memory_order_seq_cst)) return false;
    if (marker.active.load(std::memory_order_seq_cst) == 0 && !marker.pool.any_published()) break;
    // Somebody came in. Either it still is there after this store, and then tries itself when it leaves; or it has left
    // because it saw kFlush, and we try again: one of us does.
    collector_clock.phase.store(Phase::kMark, std::memory_order_seq_cst);
    if (marker.active.load(std::memory_order_seq_cst) != 0 || marker.pool.any_published()) return false;
  }
  registry.handshake.request(kFlushGrey, here);
  return true;
}

// -- Flush handshake.
void Cycle::flush(Processor& processor) {
  ProcessorState& state = state_of(processor);
  state.dirty_at_flush = marker.publish_grey(state);
  state.activity_at_flush = state.activity.load(std::memory_order_relaxed);
  state.marked_at_flush = state.marked_objects;
}
void Cycle::flushed(Processor& here) {
  if (cycle.commit_if_done(here)) {
    cycle.after_commit(here);
  } else {
    collector_clock.phase.store(Phase::kMark, std::memory_order_seq_cst);
    registry.scheduler->offer_cycle_step(marker.pool.published());
  }
}

// Judges the round and commits under the lock of the Persistents: no thread can shade in between.
bool Cycle::commit_if_done(Processor& here) {
  const std::lock_guard guard(persistent_roots.lock());
  if (persistent_roots.mark_pending(state_of(here)) || marker.pool.any_published()) return false;
  std::uint64_t marked = 0;
  for (Processor& processor : registry.all_processors()) {
    const ProcessorState& state = state_of(processor);
    marked += state.marked_at_flush;
    if (state.dirty_at_flush && !planted(PlantedBug::kNoFlushRound)) return false;
    // Acquire: pairs with count_activity's release.
    if (state.activity.load(std::memory_order_acquire) != state.activity_at_flush &&
        !planted(PlantedBug::kNoActivityCheck))
      return false;
  }
  if (!ephemeron_pass.settled(marked)) return false;
  // Before the phase: who sees that marking is over may want to know which blocks have been swept since (weak.cpp).
  sweeper.committed_cycle.store(collector_clock.cycle.load(std::memory_order_relaxed), std::memory_order_release);
  collector_clock.phase.store(Phase::kOff, std::memory_order_seq_cst);
  detail::global_words.barrier.store(0, std::memory_order_relaxed);
  return true;
}

void Cycle::after_commit(Processor& here) {
  if (!registry.options->verify_after_mark) return registry.handshake.request(kAllocateWhite, here);
  // The hold is posted before the handshake, so who acknowledges the one stays for the other.
  if (!stops_the_world()) registry.world_stop.begin();
  registry.handshake.request(kVerify, here);
}

// -- Zeal: with the world held, everything reachable must be marked.
void Cycle::stand_still(Processor&) {}
void Cycle::verified(Processor& here) {
  verify_marks(here);
  if (!stops_the_world()) registry.world_stop.end();
  registry.handshake.request(kAllocateWhite, here);
}

// -- Handshake 4.
void Cycle::allocate_white(Processor& processor) {
  processor.scan_mode = seam::ScanMode::kNone;
  allocator.sweep_current_blocks(processor);
  processor.allocate_black = false;
}
void Cycle::finished(Processor&) {
  std::uint64_t marked = 0;
  std::uint64_t black = 0;
  for (Processor& processor : registry.all_processors()) {
    const ProcessorState& state = state_of(processor);
    marked += state.marked_bytes;
    black += state.black_bytes;
    counters.objects_marked.add(state.marked_objects);
    counters.bytes_marked.add(state.marked_bytes);
  }
  pacer.cycle_ended(marked, black);
  spaces.all_to_unswept();
  counters.cycles.add(1);
  cycle.completed_.store(collector_clock.cycle.load(std::memory_order_relaxed), std::memory_order_release);
  cycle.set_phase(Phase::kIdle, 0);
  if (registry.options->gctrace) print_cycle_line(cycle.started_at_ns_, cycle.mark_started_at_ns_);
  if (stops_the_world()) registry.world_stop.end();
  registry.scheduler->recheck_waiters();
  registry.scheduler->offer_cycle_step(sweep_pieces());
}

}  // namespace tandem::gc
