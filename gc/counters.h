#pragma once
// What the collector counts. Written by whoever does the work, at the end of a quantum, a block or a cycle,
// never once an object: relaxed additions to shared words are then cheap enough. Read by statistics() at any
// time, from any goroutine.
//
// Every field but the gauges only grows during a run; begin_run() clears them.

#include <atomic>
#include <cstdint>
#include <memory>

#include "runtime/base/cache_line.h"
#include "runtime/base/histogram.h"

namespace tandem::gc {

/// A counter or a gauge. Relaxed: figures, not an order.
class Counter {
 public:
  void add(std::uint64_t amount) noexcept { value_.fetch_add(amount, std::memory_order_relaxed); }
  void subtract(std::uint64_t amount) noexcept { value_.fetch_sub(amount, std::memory_order_relaxed); }
  void set(std::uint64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
  std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// A counter with one writer at a time: who drives the processor, or has claimed it. No locked instruction.
class OwnedCounter {
 public:
  void add(std::uint64_t amount) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// Per processor: what is counted too often for a shared word, and a histogram, which has one writer.
struct alignas(base::kCacheLineBytes) ProcessorCounters {
  /// ns that a goroutine which could have run did not, because its processor did collector work in its place:
  /// a fractional quantum, an assist, a hold, the scan of its own stack at a safepoint or before it was
  /// resumed.
  base::Histogram kept_from_running;
  OwnedCounter quanta;  // records of kept_from_running for fractional quanta
  OwnedCounter barrier_shades;
  OwnedCounter stacks_scanned;  // goroutines whose stack and closure were scanned, over all cycles
  OwnedCounter stacks_skipped;  // goroutines whose roots were known from an earlier walk (stack_summary.h)
  OwnedCounter stack_bytes_scanned;
  OwnedCounter stacks_scanned_by_runner;  // of stacks_scanned: before the goroutine was resumed
  OwnedCounter stack_bytes_released;
  OwnedCounter marked_bytes;  // over all cycles; cells, not payloads
};

struct CollectorCounters {
  // -- Cycles.
  Counter cycles;                    // completed
  Counter objects_marked;            // over all cycles
  Counter bytes_marked;              // over all cycles; cells, not payloads
  Counter bytes_marked_by_executor;  // of these, by threads that are no workers (mark_executor.h)
  Counter mark_packets;              // made so far; they are kept for the next cycle
  Counter blocks_swept_on_allocation;
  Counter blocks_swept_in_background;

  // -- Gauges.
  Counter live_bytes;        // marked in the last completed cycle
  Counter heap_bytes;        // blocks in use, large objects included
  Counter next_cycle_bytes;  // allocated bytes at which the pacer will start the next cycle

  // -- Allocation; added when a window is given back or refilled, so it lags by at most a window a layout and
  // processor.
  Counter allocated_bytes;
  Counter allocated_objects;
  Counter freed_bytes;
  Counter released_bytes;     // of blocks, given back to the system
  Counter populated_bytes;    // of free blocks, made ready before anybody needed them
  Counter finalized_objects;  // destructors and cleanups that were run
  Counter allocation_stalls;  // allocations that waited for a cycle to end

  // -- Processor time, in ns, by purpose. Their sum is the collector's.
  Counter mark_cpu_ns;       // marking of every kind but assists
  Counter assist_cpu_ns;     // marking that an allocating goroutine had to do
  Counter scan_cpu_ns;       // stacks and other roots
  Counter sweep_cpu_ns;      // lazily on refill and in the background
  Counter handshake_cpu_ns;  // the collector's operations in handshakes
  Counter idle_cpu_ns;       // part of the above that workers with nothing to run did

  /// One per processor; begin_run makes them.
  std::unique_ptr<ProcessorCounters[]> by_processor;
  std::uint32_t processors = 0;

  std::uint64_t stacks_scanned() const noexcept {
    std::uint64_t sum = 0;
    for (std::uint32_t index = 0; index < processors; ++index) sum += by_processor[index].stacks_scanned.get();
    return sum;
  }
  std::uint64_t collector_cpu_ns() const noexcept {
    return mark_cpu_ns.get() + assist_cpu_ns.get() + scan_cpu_ns.get() + sweep_cpu_ns.get() + handshake_cpu_ns.get();
  }

  /// Boot, before any goroutine runs: clears everything.
  void begin_run(std::uint32_t processor_count) {
    for (Counter* counter : {&cycles,
                             &objects_marked,
                             &bytes_marked,
                             &bytes_marked_by_executor,
                             &mark_packets,
                             &blocks_swept_on_allocation,
                             &blocks_swept_in_background,
                             &idle_cpu_ns,
                             &live_bytes,
                             &heap_bytes,
                             &next_cycle_bytes,
                             &allocated_bytes,
                             &allocated_objects,
                             &freed_bytes,
                             &released_bytes,
                             &populated_bytes,
                             &finalized_objects,
                             &allocation_stalls,
                             &mark_cpu_ns,
                             &assist_cpu_ns,
                             &scan_cpu_ns,
                             &sweep_cpu_ns,
                             &handshake_cpu_ns})
      counter->set(0);
    by_processor = std::make_unique<ProcessorCounters[]>(processor_count);
    processors = processor_count;
  }
};

/// The one instance. Defined here, so that the layers above need no more of the collector than this header.
inline CollectorCounters counters;

}  // namespace tandem::gc
