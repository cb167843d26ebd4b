#include "gc/collector.h"

#include <bit>

#include "gc/allocator.h"
#include "gc/counters.h"
#include "gc/cycle.h"
#include "gc/finalizer.h"
#include "gc/marker.h"
#include "gc/pacer.h"
#include "gc/persistent_roots.h"
#include "gc/roots.h"
#include "gc/sweeper.h"
#include "runtime/base/clock.h"
#include "runtime/seam/registry.h"
#include "tandem/runtime.h"

namespace tandem::gc {

namespace {

/// Address space for the heap; nothing of it is backed by memory before it is used.
constexpr std::size_t kHeapReservationBytes = std::size_t{256} << 30;

Counter& counter_for(seam::WorkKind kind, seam::Phase phase) {
  if (phase <= seam::Phase::kFinishSweep) return counters.sweep_cpu_ns;
  if (phase == seam::Phase::kRoots) return counters.scan_cpu_ns;
  return kind == seam::WorkKind::kAssist ? counters.assist_cpu_ns : counters.mark_cpu_ns;
}

// Runs the destructors of all objects that are left: at the end of a run nothing is reachable any more. True if any was.
bool destroy_remaining() {
  bool any = false;
  for (BlockIndex index = 0; index < region.used(); ++index) {
    const Block& block = region.block(index);
    if ((block.kind != BlockKind::kCells && block.kind != BlockKind::kLarge) || !block.pattern->destroy) continue;
    for (std::uint32_t word = 0; word < (block.cells + 63) / 64; ++word) {
      const std::uint64_t condemned = region.condemned(index)[word].load(std::memory_order_acquire);
      std::uint64_t bits = region.constructed(index)[word].exchange(0, std::memory_order_acq_rel) & ~condemned;
      for (; bits != 0; bits &= bits - 1) {
        const CellRef cell{index, word * 64 + static_cast<std::uint32_t>(std::countr_zero(bits))};
        block.pattern->destroy(reinterpret_cast<void*>(address_of(cell)));
        counters.finalized_objects.add(1);
        any = true;
      }
    }
  }
  return any;
}

}  // namespace

Collector& the_collector() {
  static Collector instance;
  return instance;
}

void Collector::start(const Options& options) {
  region.reserve(kHeapReservationBytes);
  spaces.begin_run();
  finalizer.begin_run();
  pacer.begin_run(options);
  sweeper.committed_cycle.store(0, std::memory_order_relaxed);
  marks_exclusively = seam::registry.processor_count == 1;
  cycle.begin_run();
}

void Collector::stop() {
  persistent_roots.clear();
  spaces.end_run();
  // A run may end in the middle of a cycle: what is grey then is dropped.
  while (MarkPacket* packet = marker.pool.take_published()) marker.pool.give_empty(packet);
  marker.pool.release();
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
  const bool did = cycle.work(processor, begin + budget_ns);
  counter_for(kind, phase).add(base::cpu_time_ns() - cpu_begin);
  if (kind != seam::WorkKind::kIdle && did)
    counters.by_processor[processor.index].kept_from_running.record(base::now_ns() - begin);
  return did;
}

void Collector::scan(seam::Goroutine& goroutine, seam::Processor& processor) { scan_goroutine(goroutine, processor); }

void Collector::finish_run() {
  finalizer.drain();
  // One destructor may still be running, on the finaliser's goroutine.
  const auto idle = [](void*) { return finalizer.idle(); };
  if (!idle(nullptr)) seam::registry.scheduler->park_until(idle, nullptr, "finalizers");
  // Destructors may make objects with destructors; after so many rounds they are a program's endless loop.
  constexpr int kRoundsMax = 1000;
  for (int round = 0; round < kRoundsMax && destroy_remaining(); ++round) finalizer.drain();
}

}  // namespace tandem::gc
