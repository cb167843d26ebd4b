#include "gc/cycle.h"

#include <algorithm>
#include <mutex>

#include "gc/allocator.h"
#include "gc/counters.h"
#include "gc/ephemeron_pass.h"
#include "gc/finalizer.h"
#include "gc/gc_trace.h"
#include "gc/mark_clearing.h"
#include "gc/mark_executor.h"
#include "gc/marker.h"
#include "gc/memory_ahead.h"
#include "gc/pacer.h"
#include "gc/persistent_roots.h"
#include "gc/planted_bugs.h"
#include "gc/root_walk.h"
#include "gc/roots.h"
#include "gc/stack_summary.h"
#include "gc/sweeper.h"
#include "gc/verifier.h"
#include "runtime/base/clock.h"
#include "runtime/seam/goroutine.h"
#include "runtime/seam/registry.h"
#include "runtime/seam/trace.h"
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
/// Blocks to sweep that are worth waking a worker for: some 20 us, as long as the wake-up takes.
constexpr std::size_t kSweepBlocksPerWorker = 16;

bool sweeps_in_background() { return registry.options->sweep != Options::Sweep::lazy; }
std::size_t sweep_pieces() { return spaces.unswept_blocks.load(std::memory_order_relaxed) / kSweepBlocksPerWorker; }

bool stops_the_world() { return registry.options->stop == Options::Stop::stop_the_world; }
bool rescans() {
  return registry.options->barrier == Options::WriteBarrier::insertion_rescan && !stops_the_world() &&
         !planted(PlantedBug::kNoRescan);
}

/// What large objects that die need not give back: what the heap will have grown to before the next cycle ends, and some more.
std::uint64_t retained_bytes() {
  const std::uint64_t goal = pacer.goal();
  return goal + std::min(goal / 10, ~goal);
}

/// What stores, loads and copies do in a phase (tandem/detail/barrier.h).
std::uint8_t write_barrier_of(Phase phase) {
  if (!seam::is_marking(phase)) return 0;
  switch (registry.options->barrier) {
    case Options::WriteBarrier::hybrid: break;
    case Options::WriteBarrier::insertion_rescan: return detail::kBarrierNewValues;
    case Options::WriteBarrier::none: return 0;
  }
  constexpr std::uint8_t kStacksUnscanned = detail::kBarrierLoads | detail::kBarrierNewValues;
  return detail::kBarrierOldValues | (phase <= Phase::kRoots ? kStacksUnscanned : 0);
}
std::uint8_t barrier_bits_of(Phase phase) {
  return write_barrier_of(phase) | (stack_summaries.on() ? detail::kBarrierSummaries : 0);
}
}  // namespace

void Cycle::begin_run() {
  completed_.store(0, std::memory_order_relaxed);
  roots_open_.store(false, std::memory_order_relaxed);
  mark_clearing.forget();  // the run before may have ended in the middle of it
  collector_clock.cycle.store(0, std::memory_order_relaxed);
  collector_clock.root_round.store(0, std::memory_order_relaxed);
  collector_clock.phase.store(Phase::kIdle, std::memory_order_relaxed);
  stack_summaries.begin_run();
  detail::global_words.barrier.store(0, std::memory_order_relaxed);
}

// Under the lock of the Persistents: a foreign thread that holds it sees one phase throughout its operation.
void Cycle::set_phase(Phase phase) {
  const std::lock_guard guard(persistent_roots.lock());
  detail::global_words.barrier.store(barrier_bits_of(phase), std::memory_order_relaxed);
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
  registry.scheduler->offer_cycle_step(sweep_pieces() + MarkClearing::pieces());
}

bool Cycle::has_work() const {
  switch (seam::current_phase()) {
    case Phase::kIdle: return !sweeper.finished() ? sweeps_in_background() : region.trim_left();
    case Phase::kFinishSweep: return true;
    case Phase::kRoots: return roots_open_.load(std::memory_order_acquire) && root_walk.chunks_left();
    case Phase::kMark: return marker.pool.any_published() || marker.active.load(std::memory_order_relaxed) == 0;
    default: return false;
  }
}

bool Cycle::work(Processor& processor, std::uint64_t deadline_ns) {
  switch (seam::current_phase()) {
    case Phase::kIdle: return (sweeps_in_background() && sweeper.sweep_until(deadline_ns)) || trim(deadline_ns);
    case Phase::kFinishSweep: return sweeper.sweep_until(deadline_ns) || clear_marks(processor);
    case Phase::kRoots: return walk_roots(processor, deadline_ns);
    case Phase::kMark: return mark(processor, deadline_ns);
    default: return false;
  }
}

// What the sweep of this cycle and of the one before have left free.
bool Cycle::trim(std::uint64_t deadline_ns) {
  if (!sweeper.finished()) return false;
  bool any = false;
  while (region.trim_step()) {
    any = true;
    if (base::now_ns() >= deadline_ns) break;
  }
  return any;
}

bool Cycle::clear_marks(Processor& processor) {
  if (!sweeper.finished()) return false;  // another worker sweeps the last blocks
  switch (mark_clearing.step()) {
    case MarkClearing::Step::kNothing: return false;
    case MarkClearing::Step::kSome: return true;
    case MarkClearing::Step::kLast: begin(processor);
  }
  return true;
}

void Cycle::begin(Processor& here) {
  roots_open_.store(false, std::memory_order_relaxed);
  rescanned_ = false;
  collector_clock.cycle.fetch_add(1, std::memory_order_acq_rel);
  collector_clock.root_round.fetch_add(1, std::memory_order_acq_rel);
  stack_summaries.begin_cycle();
  seam::trace_outside(seam::TraceKind::kCycleBegin, 0, collector_clock.cycle.load(std::memory_order_relaxed));
  seam::trace_outside(seam::TraceKind::kHeapBytes, 0, pacer.heap_now());
  if (stops_the_world()) registry.world_stop.begin();
  set_phase(Phase::kBarrier);
  registry.handshake.request(kSeeBarrier, here);
}

// -- Handshake 1: having passed a safepoint is all there is to it: the flag is tested anew at each store.
void Cycle::see_barrier(Processor&) {}
void Cycle::barrier_seen(Processor& here) {
  // Only now: a worker may have stood in clear_marks() until its safepoint, and must not find the cursor at 0 again.
  mark_clearing.forget();
  if (stops_the_world()) registry.world_stop.all_reached();
  cycle.set_phase(Phase::kBlack);
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
  if (mark_executor != nullptr) mark_executor->reset();
  cycle.set_phase(Phase::kRoots);
  registry.handshake.request(kScanRunning, here);
}

// -- Handshake 3: the goroutine that runs is scanned at its safepoint; from now on the others before they are resumed.
void Cycle::scan_running(Processor& processor) {
  processor.scan_mode = seam::ScanMode::kScanBeforeResume;
  seam::Goroutine* goroutine = processor.running;
  // A goroutine in blocking(f) is not running: the walk claims it.
  if (goroutine == nullptr || goroutine->state.load(std::memory_order_relaxed) != seam::kRunning) return;
  const seam::TraceSpan span(processor);
  scan_goroutine(*goroutine, processor);
  span.end(processor, seam::TraceKind::kMarkFractional);
}
void Cycle::running_scanned(Processor&) {
  root_walk.begin();
  if (cycle.rescanned_) registry.world_stop.all_reached();
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
  stack_summaries.settle();
  ephemeron_pass.reset();
  cycle.mark_started_at_ns_ = base::now_ns();
  cycle.set_phase(Phase::kMark);
  cycle.offer_marking();
}

// Whoever marks shares what grows out of these, and wakes one more (marker.cpp).
void Cycle::offer_marking() {
  if (mark_executor != nullptr) mark_executor->offer(marker.pool.published());
  registry.scheduler->offer_cycle_step(marker.pool.published());
}

bool Cycle::mark_known(ProcessorState& state, std::uint64_t deadline_ns) {
  if (mark_executor != nullptr) return feed_executor(state);
  bool any = marker.drain(state, deadline_ns);
  while (base::now_ns() < deadline_ns && ephemeron_pass.step(state)) {
    any = true;
    marker.drain(state, deadline_ns);
  }
  return any;
}

// Workers see to the values of WeakMaps, and that what is grey is known to those who mark.
bool Cycle::feed_executor(ProcessorState& state) {
  bool any = false;
  while (ephemeron_pass.step(state)) any = true;
  any |= marker.publish_grey(state);
  mark_executor->offer(marker.pool.published());
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
  switch (cycle.judge(here)) {
    case Judgement::kCommitted: return cycle.after_commit(here);
    case Judgement::kRescan: return cycle.begin_rescan(here);
    case Judgement::kMarkOn: break;
  }
  collector_clock.phase.store(Phase::kMark, std::memory_order_seq_cst);
  cycle.offer_marking();
}

// -- barrier = insertion_rescan: stores have shaded what they wrote, but what was loaded is known only to stacks. So when marking
// seems done, roots are scanned and marking goes on once more, with the world held: another round of the same steps.
void Cycle::begin_rescan(Processor& here) {
  rescanned_ = true;
  if (!registry.world_stop.active()) registry.world_stop.begin();
  collector_clock.root_round.fetch_add(1, std::memory_order_acq_rel);
  set_phase(Phase::kRoots);
  registry.handshake.request(kScanRunning, here);
}

// Judges the round and commits under the lock of the Persistents: no thread can shade in between.
Cycle::Judgement Cycle::judge(Processor& here) {
  const std::lock_guard guard(persistent_roots.lock());
  if (persistent_roots.mark_pending(state_of(here)) || marker.pool.any_published()) return Judgement::kMarkOn;
  std::uint64_t marked = mark_executor != nullptr ? mark_executor->marked_objects() : 0;
  for (Processor& processor : registry.all_processors()) {
    const ProcessorState& state = state_of(processor);
    marked += state.marked_at_flush;
    if (state.dirty_at_flush && !planted(PlantedBug::kNoFlushRound)) return Judgement::kMarkOn;
    // Acquire: pairs with count_activity's release.
    if (state.activity.load(std::memory_order_acquire) != state.activity_at_flush &&
        !planted(PlantedBug::kNoActivityCheck))
      return Judgement::kMarkOn;
  }
  if (rescans() && !rescanned_) return Judgement::kRescan;
  if (!ephemeron_pass.settled(marked)) return Judgement::kMarkOn;
  // Before the phase: who sees that marking is over may want to know which blocks have been swept since (weak.cpp).
  sweeper.committed_cycle.store(collector_clock.cycle.load(std::memory_order_relaxed), std::memory_order_release);
  collector_clock.phase.store(Phase::kOff, std::memory_order_seq_cst);
  detail::global_words.barrier.store(barrier_bits_of(Phase::kOff), std::memory_order_relaxed);
  return Judgement::kCommitted;
}

void Cycle::after_commit(Processor& here) {
  if (!registry.options->verify_after_mark) return registry.handshake.request(kAllocateWhite, here);
  // The hold is posted before the handshake, so who acknowledges the one stays for the other.
  if (!registry.world_stop.active()) registry.world_stop.begin();
  registry.handshake.request(kVerify, here);
}

// -- Zeal: with the world held, everything reachable must be marked.
void Cycle::stand_still(Processor&) {}
void Cycle::verified(Processor& here) {
  verify_marks(here);
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
    counters.by_processor[processor.index].marked_bytes.add(state.marked_bytes);
  }
  if (mark_executor != nullptr) {
    marked += mark_executor->marked_bytes();
    counters.objects_marked.add(mark_executor->marked_objects());
    counters.bytes_marked_by_executor.add(mark_executor->marked_bytes());
  }
  counters.bytes_marked.add(marked);
  pacer.cycle_ended(marked, black);
  seam::trace_outside(seam::TraceKind::kHeapBytes, 0, pacer.heap_now());
  seam::trace_outside(seam::TraceKind::kHeapGoal, 0, pacer.goal());
  // With the stop that ends when all is swept, whoever comes last ends it: this, or a sweeper.
  const bool last_sweep_ends_stop = sweeps_in_the_stop();
  spaces.all_to_unswept(last_sweep_ends_stop ? 1 : 0);
  region.begin_trim(retained_bytes(), memory_ahead.wanted_blocks());
  counters.cycles.add(1);
  seam::trace_outside(seam::TraceKind::kCycleEnd);
  cycle.completed_.store(collector_clock.cycle.load(std::memory_order_relaxed), std::memory_order_release);
  cycle.set_phase(Phase::kIdle);
  if (registry.options->gctrace) print_cycle_line(cycle.started_at_ns_, cycle.mark_started_at_ns_);
  if (last_sweep_ends_stop)
    sweeper.count_swept();
  else if (registry.world_stop.active())
    registry.world_stop.end();
  registry.scheduler->recheck_waiters();
  if (sweeps_in_background()) registry.scheduler->offer_cycle_step(sweep_pieces());
}

}  // namespace tandem::gc
