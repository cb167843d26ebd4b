// Gathers what the parts have counted into the public snapshot.
#include <tandem/statistics.h>

#include <cmath>
#include <ctime>
#include <memory>

#include "gc/counters.h"
#include "runtime/base/histogram.h"
#include "runtime/boot/active_run.h"
#include "runtime/seam/registry.h"
#include "runtime/seam/safepoint.h"
#include "sched/processor_state.h"
#include "sched/shared.h"
#include "sched/simulation.h"
#include "sched/spawn.h"

namespace tandem {

std::uint64_t HistogramSnapshot::percentile(double quantile) const {
  if (count == 0) return 0;
  const double wanted = std::ceil(quantile * static_cast<double>(count));
  std::uint64_t seen = 0;
  for (const Bucket& bucket : buckets) {
    seen += bucket.count;
    if (static_cast<double>(seen) >= wanted) return bucket.last_ns < max_ns ? bucket.last_ns : max_ns;
  }
  return max_ns;
}

Statistics statistics() {
  seam::poll();
  const std::lock_guard guard(boot::active_run.lock);
  return boot::active_run.options != nullptr ? boot::gather_statistics() : boot::active_run.last_statistics;
}

}  // namespace tandem

namespace tandem::boot {

namespace {

HistogramSnapshot snapshot_of(const base::Histogram& histogram) {
  HistogramSnapshot snapshot;
  snapshot.sum_ns = histogram.sum();
  snapshot.max_ns = histogram.max();
  histogram.for_each_bucket([&](std::uint64_t, std::uint64_t last, std::uint64_t count) {
    snapshot.buckets.push_back({last, count});
    snapshot.count += count;
  });
  return snapshot;
}

std::uint64_t process_cpu_ns() {
  ::timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<std::uint64_t>(used.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(used.tv_nsec);
}

void gather_collector(Statistics& into) {
  const gc::CollectorCounters& counters = gc::counters;
  into.cycles = counters.cycles.get();
  into.live_bytes = counters.live_bytes.get();
  into.heap_bytes = counters.heap_bytes.get();
  into.allocated_bytes = counters.allocated_bytes.get();
  into.allocated_objects = counters.allocated_objects.get();
  into.freed_bytes = counters.freed_bytes.get();
  into.released_bytes = counters.released_bytes.get();
  into.populated_bytes = counters.populated_bytes.get();
  into.finalized_objects = counters.finalized_objects.get();
  into.allocation_stalls = counters.allocation_stalls.get();
  into.mark_cpu_ns = counters.mark_cpu_ns.get();
  into.assist_cpu_ns = counters.assist_cpu_ns.get();
  into.scan_cpu_ns = counters.scan_cpu_ns.get();
  into.sweep_cpu_ns = counters.sweep_cpu_ns.get();
  into.collector_cpu_ns = counters.collector_cpu_ns();
  into.idle_cpu_ns = counters.idle_cpu_ns.get();
  into.blocks_swept_on_allocation = counters.blocks_swept_on_allocation.get();
  into.blocks_swept_in_background = counters.blocks_swept_in_background.get();
  into.mark_packets = counters.mark_packets.get();
  into.marked_bytes_by_executor = counters.bytes_marked_by_executor.get();
  // On the heap: 15 KiB is much of a small goroutine stack.
  const auto merged = std::make_unique<base::Histogram>();
  for (std::uint32_t index = 0; index < counters.processors; ++index) {
    const gc::ProcessorCounters& processor = counters.by_processor[index];
    merged->merge(processor.kept_from_running);
    into.quanta += processor.quanta.get();
    into.barrier_shades += processor.barrier_shades.get();
    into.stacks_scanned += processor.stacks_scanned.get();
    into.stacks_skipped += processor.stacks_skipped.get();
    into.stacks_scanned_by_runner += processor.stacks_scanned_by_runner.get();
    into.stack_bytes_released += processor.stack_bytes_released.get();
    into.marked_bytes.push_back(processor.marked_bytes.get());
  }
  into.kept_from_running = snapshot_of(*merged);
}

void gather_scheduler(Statistics& into) {
  for (const seam::Processor& processor : seam::registry.all_processors()) {
    const sched::ProcessorState& state = *processor.sched;
    into.goroutines_created += state.spawned.read();
    into.switches += state.switches.read();
    into.parks += state.parks.read();
    into.wakeups += state.wakeups.read();
    into.steals += state.steals.read();
    into.preemptions += state.preemptions.read();
    into.network_polls += state.network_polls.read();
    into.network_polls_while_marking += state.network_polls_while_marking.read();
  }
  into.goroutines_created += sched::shared->spawned_outside.load(std::memory_order_relaxed);
  into.goroutines = sched::live_goroutines();
  into.schedule_hash = sched::schedule_hash();
}

void gather_network(Statistics& into) {
  const seam::PollerPort* const poller = seam::registry.poller;
  if (poller == nullptr) return;
  into.network_descriptors = poller->descriptors();
  into.network_waiters = poller->waiters();
}

}  // namespace

Statistics gather_statistics() {
  Statistics now;
  gather_collector(now);
  gather_scheduler(now);
  gather_network(now);
  now.process_cpu_ns = process_cpu_ns();
  now.longest_all_stopped_ns = seam::registry.world_stop.longest_all_stopped_ns();
  now.times_held = seam::registry.world_stop.times_held();
  now.handshakes = seam::registry.handshake.number();
  const auto merged = std::make_unique<base::Histogram>();
  for (const seam::Processor& processor : seam::registry.all_processors()) merged->merge(processor.time_to_safepoint);
  now.time_to_safepoint = snapshot_of(*merged);
  return now;
}

}  // namespace tandem::boot
