#include "gc/collector.h"

#include <bit>

#include "gc/allocator.h"
#include "gc/attachments.h"
#include "gc/counters.h"
#include "gc/cycle.h"
#include "gc/finalizer.h"
#include "gc/grey_blocks.h"
#include "gc/mark_executor.h"
#include "gc/marker.h"
#include "gc/memory_ahead.h"
#include "gc/pacer.h"
#include "gc/persistent_roots.h"
#include "gc/roots.h"
#include "gc/sweeper.h"
#include "runtime/base/clock.h"
#include "runtime/seam/registry.h"
#include "runtime/seam/trace.h"
#include "tandem/runtime.h"

namespace tandem::gc {

namespace {

/// Address space for the heap; nothing of it is backed by memory before it is used.
constexpr std::size_t kHeapReservationBytes = std::size_t{256} << 30;

/// What the work of `kind` in `phase` is in a trace.
seam::TraceKind trace_kind(seam::WorkKind kind, seam::Phase phase) {
  if (phase <= seam::Phase::kFinishSweep) return seam::TraceKind::kSweep;
  switch (kind) {
    case seam::WorkKind::kFractional: break;
    case seam::WorkKind::kIdle: return seam::TraceKind::kMarkIdle;
    case seam::WorkKind::kAssist: return seam::TraceKind::kMarkAssist;
    case seam::WorkKind::kHeld: return seam::TraceKind::kMarkHeld;
  }
  return seam::TraceKind::kMarkFractional;
}

Counter& counter_for(seam::WorkKind kind, seam::Phase phase) {
  if (phase <= seam::Phase::kFinishSweep) return counters.sweep_cpu_ns;
  if (phase == seam::Phase::kRoots) return counters.scan_cpu_ns;
  return kind == seam::WorkKind::kAssist ? counters.assist_cpu_ns : counters.mark_cpu_ns;
}

void wait_until(bool (*condition)(void*), const char* reason) {
  if (!condition(nullptr)) seam::registry.scheduler->park_until(condition, nullptr, reason);
}

// When it returns nobody sweeps, and nobody begins to before this processor's next safepoint: a new sweep comes after
// handshake 4, which takes all processors, and this one has not been asked for it yet (the phase is not kOff).
void finish_sweep() {
  const auto finished = [](void*) { return seam::current_phase() != seam::Phase::kOff && sweeper.finished(); };
  for (sweeper.sweep_until(UINT64_MAX); !finished(nullptr); sweeper.sweep_until(UINT64_MAX))
    wait_until(finished, "the sweep");
}

// On the finaliser's goroutine one destructor may still be running.
void run_destructors() {
  finalizer.drain();
  wait_until([](void*) { return finalizer.idle(); }, "finalizers");
}

// Runs the destructors of all objects that are left: at the end of a run nothing is reachable any more. True if any was.
// No other goroutine runs, and destructors run between the looks at blocks, not meanwhile: what they allocate and make
// unreachable may be swept, this block too. They run as everywhere: the object stays condemned until its destructor has.
bool destroy_remaining() {
  bool any = false;
  for (BlockIndex index = 0; index < region.used(); ++index) {
    finish_sweep();
    if (!sweeper.condemn_all(index)) continue;
    any = true;
    run_destructors();
  }
  return any;
}

}  // namespace

Collector& the_collector() {
  static Collector instance;
  return instance;
}

void Collector::start(const Options& options) {
  region.reserve(kHeapReservationBytes, options.huge_pages, options.memory_limit);
  spaces.begin_run();
  finalizer.begin_run();
  attachments.begin_run();
  heap_profile.begin_run(options.heap_profile_rate);
  pacer.begin_run(options);
  sweeper.committed_cycle.store(0, std::memory_order_relaxed);
  marks_exclusively = seam::registry.processor_count == 1 && options.mark_executor == Options::MarkExecutor::scheduler;
  marker.begin_run(options);
  start_mark_executor(options);
  cycle.begin_run();
  memory_ahead.start(options);
}

void Collector::stop() {
  memory_ahead.stop();
  stop_mark_executor();
  persistent_roots.clear();
  spaces.end_run();
  // A run may end in the middle of a cycle: what is grey then is dropped.
  while (MarkPacket* packet = marker.pool.take_published()) marker.pool.give_empty(packet);
  marker.pool.release();
  grey_blocks.release();
  region.release();
  cycle.begin_run();
}

void Collector::attach(seam::Processor& processor) {
  allocator.attach(processor);
  processor.gc->grey = marker.pool.take_empty();
}

void Collector::detach(seam::Processor& processor) {
  marker.pool.give_empty(processor.gc->grey);
  allocator.detach(processor);
}

bool Collector::has_work() const { return cycle.has_work(); }

bool Collector::work(seam::Processor& processor, std::uint64_t budget_ns, seam::WorkKind kind) {
  if (!has_work()) return false;
  const seam::Phase phase = seam::current_phase();
  const std::uint64_t cpu_begin = base::cpu_time_ns();
  const std::uint64_t begin = base::now_ns();
  const seam::TraceSpan span(processor);
  const bool did = cycle.work(processor, begin + budget_ns);
  if (did) span.end(processor, trace_kind(kind, phase));
  const std::uint64_t cpu_ns = base::cpu_time_ns() - cpu_begin;
  counter_for(kind, phase).add(cpu_ns);
  if (kind == seam::WorkKind::kIdle) counters.idle_cpu_ns.add(cpu_ns);
  ProcessorCounters& mine = counters.by_processor[processor.index];
  if (kind == seam::WorkKind::kFractional && did) mine.quanta.add(1);
  if (kind != seam::WorkKind::kIdle && did) mine.kept_from_running.record(base::now_ns() - begin);
  return did;
}

void Collector::scan(seam::Goroutine& goroutine, seam::Processor& processor) {
  counters.by_processor[processor.index].stacks_scanned_by_runner.add(1);
  const seam::TraceSpan span(processor);
  scan_goroutine(goroutine, processor);
  span.end(processor, seam::TraceKind::kMarkFractional);
}

void Collector::finish_run() {
  run_destructors();
  attachments.forget_handles();
  // Destructors may make objects with destructors; after so many rounds they are a program's endless loop.
  constexpr int kRoundsMax = 1000;
  for (int round = 0; round < kRoundsMax && destroy_remaining(); ++round) {
  }
  attachments.release_all();
  run_destructors();
  // Nothing is allocated any more. A cycle that is under way stays where it is.
  if (mark_executor != nullptr) mark_executor->halt();
}

}  // namespace tandem::gc
