#include "gc/boehm/boehm_collector.h"

#include <mutex>

#include "gc/allocator.h"
#include "gc/attachments.h"
#include "gc/boehm/bdwgc.h"
#include "gc/boehm/boehm_heap.h"
#include "gc/counters.h"
#include "gc/finalizer.h"
#include "gc/gc_trace.h"
#include "gc/pacer.h"
#include "gc/persistent_roots.h"
#include "gc/roots.h"
#include "runtime/base/clock.h"
#include "runtime/seam/registry.h"
#include "runtime/seam/trace.h"
#include "tandem/runtime.h"

namespace tandem::gc::boehm {

using seam::registry;

const seam::HandshakeOperation BoehmCollector::kStop{"stop for bdwgc", &stand_still, &all_stopped};

// Never destroyed: its thread outlives every run.
BoehmCollector& the_collector() {
  static BoehmCollector& instance = *new BoehmCollector;
  return instance;
}

// Order and traps, for bdwgc 8.2:
//   - no data segments (no_dls), no displacement but those that a base class may have, markers as many as processors;
//   - our hook in place of its own, which would scan the stacks of threads;
//   - collection disabled but for our own call: otherwise finalisers would start one in the middle of an allocation.
void BoehmCollector::initialise(const Options& options) {
  GC_set_all_interior_pointers(0);
  GC_set_no_dls(1);
  GC_set_markers_count(options.processors);
  GC_INIT();
  GC_disable();
  for (std::size_t displacement = 0; displacement < 4096; displacement += 8) GC_register_displacement(displacement);
  GC_clear_roots();
  GC_set_push_other_roots(&push_roots);
  GC_set_on_collection_event([](GC_EventType event) { on_event(static_cast<int>(event)); });
  GC_set_finalize_on_demand(1);
  GC_set_java_finalization(0);
  GC_allow_register_threads();
  if (options.processors > 1) GC_start_mark_threads();
}

void BoehmCollector::start(const Options& options) {
  in_use = true;
  finalizer.begin_run();
  pacer.begin_run(options);
  wanted_.store(false, std::memory_order_relaxed);
  stopping_.store(false, std::memory_order_relaxed);
  started_.store(0, std::memory_order_relaxed);
  completed_.store(0, std::memory_order_relaxed);
  // For the whole process: what bdwgc has learnt in an earlier run it keeps.
  static std::once_flag initialised;
  std::call_once(initialised, [&] { thread_.run([&] { initialise(options); }); });
}

void BoehmCollector::stop() {
  persistent_roots.clear();
  roots_.clear();
  thread_.run([] {
    GC_enable();
    GC_gcollect_and_unmap();
    GC_disable();
  });
  in_use = false;
}

void BoehmCollector::attach(seam::Processor& processor) { allocator.attach(processor); }
void BoehmCollector::detach(seam::Processor& processor) { allocator.detach(processor); }

void BoehmCollector::start_cycle() {
  if (!wanted_.exchange(true, std::memory_order_acq_rel)) registry.scheduler->offer_cycle_step(1);
}

bool BoehmCollector::work(seam::Processor& processor, std::uint64_t, seam::WorkKind kind) {
  if (kind == seam::WorkKind::kHeld || !has_work() || stopping_.exchange(true, std::memory_order_acq_rel)) return false;
  if (!wanted_.exchange(false, std::memory_order_acq_rel)) {
    stopping_.store(false, std::memory_order_release);
    return false;
  }
  seam::trace_outside(seam::TraceKind::kCycleBegin, 0, started_.load(std::memory_order_relaxed) + 1);
  registry.world_stop.begin();
  registry.handshake.request(kStop, processor);
  return true;
}

void BoehmCollector::stand_still(seam::Processor&) {}

// On the processor that came last; its goroutine stands at its safepoint like all others.
void BoehmCollector::all_stopped(seam::Processor&) {
  BoehmCollector& self = the_collector();
  const std::uint64_t begin = base::now_ns();
  registry.world_stop.all_reached();
  self.started_.fetch_add(1, std::memory_order_relaxed);
  for (seam::Processor& processor : registry.all_processors())
    for (const detail::LayoutNumber layout : processor.gc->active_layouts)
      processor.windows[layout].first_cell = nullptr;
  self.thread_.run([&] { self.collect(); });
  pacer.cycle_ended(self.live_bytes_, 0);
  counters.cycles.add(1);
  counters.heap_bytes.set(GC_get_heap_size());
  self.completed_.store(self.started_.load(std::memory_order_relaxed), std::memory_order_release);
  if (registry.options->gctrace) print_cycle_line(begin, begin);
  self.stopping_.store(false, std::memory_order_release);
  registry.world_stop.end();
  seam::trace_outside(seam::TraceKind::kHeapBytes, 0, pacer.heap_now());
  seam::trace_outside(seam::TraceKind::kHeapGoal, 0, pacer.goal());
  seam::trace_outside(seam::TraceKind::kCycleEnd);
  registry.scheduler->recheck_waiters();
  if (self.has_work()) registry.scheduler->offer_cycle_step(1);
}

namespace {
void add_root(void* roots, std::uintptr_t reference) {
  if (reference != 0) static_cast<std::vector<std::uintptr_t>*>(roots)->push_back(reference);
}

// bdwgc scans its own frames conservatively, and what is left there of calls before may look like a reference.
[[gnu::noinline]] void wipe_stack() {
  volatile std::byte frame[16 << 10];
  for (volatile std::byte& byte : frame) byte = std::byte{0};
}

void add_live(void*, size_t bytes, void* sum) { *static_cast<std::uint64_t*>(sum) += bytes; }
}  // namespace

void BoehmCollector::collect() {
  const std::uint64_t cpu_begin = base::cpu_time_ns();
  gather_roots();
  dead_.clear();
  wipe_stack();
  GC_enable();
  GC_gcollect();
  GC_disable();
  hand_over_condemned();
  counters.mark_cpu_ns.add(base::cpu_time_ns() - cpu_begin);
}

void BoehmCollector::gather_roots() {
  roots_.clear();
  for (std::size_t i = 0; i < registry.goroutines.used(); ++i) {
    seam::Goroutine& goroutine = registry.goroutines.at(i);
    if ((goroutine.state.load(std::memory_order_acquire) & seam::kStateMask) == seam::kDead) continue;
    for_each_root(goroutine, &add_root, &roots_);
    counters.by_processor[0].stacks_scanned.add(1);
  }
  persistent_roots.for_each([&](void* object) { add_root(&roots_, reinterpret_cast<std::uintptr_t>(object)); });
  finalizer.for_each_condemned([&](void* object) { add_root(&roots_, reinterpret_cast<std::uintptr_t>(object)); });
  // The values of WeakMaps are held as long as their keys live: bdwgc cannot be asked whether a key is marked before it is done.
  attachments.for_each_reference([&](void* object) { add_root(&roots_, reinterpret_cast<std::uintptr_t>(object)); });
}

// bdwgc calls this in every collection, with the vector above in place: no memory is allocated here.
void BoehmCollector::push_roots() {
  auto& roots = the_collector().roots_;
  GC_push_all(roots.data(), roots.data() + roots.size());
}

// With its lock held, the marks as they are before anything is reclaimed, or kept for the sake of its destructor.
void BoehmCollector::on_event(int event) {
  if (event == GC_EVENT_MARK_END) the_collector().find_dead();
}

void BoehmCollector::find_dead() {
  attachments.for_each_cell([&](CellRef cell) {
    if (!GC_is_marked(reinterpret_cast<const void*>(address_of_key(cell)))) dead_.push_back(cell);
  });
  live_bytes_ = 0;
  GC_enumerate_reachable_objects_inner(&add_live, &live_bytes_);
}

// Destructors first: cleanups of an object come after its destructor.
void BoehmCollector::hand_over_condemned() {
  GC_invoke_finalizers();
  for (const CellRef cell : dead_) {
    const std::lock_guard guard(attachments.lock_of(cell.block));
    attachments.died(cell);
  }
}

void BoehmCollector::collect_and_wait() {
  struct Wait {
    BoehmCollector& collector;
    std::uint64_t target;
  };
  // The caller runs, so no collection that has marked anything is under way: the next one has started after the call.
  Wait wait{*this, started_.load(std::memory_order_relaxed) + 1};
  const auto collected = [](void* argument) {
    auto& waiting = *static_cast<Wait*>(argument);
    if (waiting.collector.completed_.load(std::memory_order_acquire) >= waiting.target) return true;
    waiting.collector.start_cycle();
    return false;
  };
  if (!collected(&wait)) registry.scheduler->park_until(collected, &wait, "collection");
}

void BoehmCollector::finish_run() {
  const auto run_destructors = [] {
    finalizer.drain();
    const auto idle = [](void*) { return finalizer.idle(); };
    if (!idle(nullptr)) registry.scheduler->park_until(idle, nullptr, "finalizers");
  };
  run_destructors();
  attachments.forget_handles();
  // Destructors may make objects with destructors; after so many rounds they are a program's endless loop.
  constexpr int kRoundsMax = 1000;
  for (int round = 0; round < kRoundsMax; ++round) {
    thread_.run([] { GC_finalize_all(); });
    if (finalizer.idle()) break;
    run_destructors();
  }
  attachments.release_all();
  run_destructors();
}

}  // namespace tandem::gc::boehm
