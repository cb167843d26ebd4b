#pragma once
// What the runtime has counted: a snapshot of counters, gauges and histograms.
//
//   const tandem::Statistics now = tandem::statistics();
//   std::printf("%llu cycles, safepoint p99 %llu ns\n", (unsigned long long)now.cycles,
//               (unsigned long long)now.time_to_safepoint.percentile(0.99));

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <vector>

namespace tandem {

/// Durations in nanoseconds, in buckets at most 1/32 wide: a percentile is at most 3.1 % above the true
/// value.
struct HistogramSnapshot {
  struct Bucket {
    std::uint64_t last_ns;  ///< the largest duration that belongs to it
    std::uint64_t count;
  };
  std::uint64_t count = 0;
  std::uint64_t sum_ns = 0;
  std::uint64_t max_ns = 0;
  std::vector<Bucket> buckets;  ///< ascending, those that are not empty

  double mean_ns() const { return count == 0 ? 0.0 : static_cast<double>(sum_ns) / static_cast<double>(count); }
  /// The smallest duration that at least this part of the records does not exceed; quantile 0 to 1. 0 when
  /// empty.
  std::uint64_t percentile(double quantile) const;
};

/// Counters grow from the start of a run; gauges (marked so) are as of now. Fields are read one after another
/// while the program goes on, so two of them may differ by what happened in between.
struct Statistics {
  // -- Heap.
  std::uint64_t cycles = 0;             ///< collection cycles completed
  std::uint64_t live_bytes = 0;         ///< gauge: found reachable by the last cycle
  std::uint64_t heap_bytes = 0;         ///< gauge: in blocks that are in use
  std::uint64_t allocated_bytes = 0;    ///< lags behind by what lies in the processors' allocation windows
  std::uint64_t allocated_objects = 0;  ///< likewise
  std::uint64_t freed_bytes = 0;        ///< as sweeping finds it
  std::uint64_t released_bytes =
      0;  ///< of blocks that were free in two cycles running, or of large objects: given back
  std::uint64_t populated_bytes = 0;    ///< of memory made ready ahead of its use (Options::memory_ahead)
  std::uint64_t finalized_objects = 0;  ///< destructors and cleanups run
  std::uint64_t allocation_stalls = 0;  ///< times an allocation waited for a cycle to end: twice the growth was used up

  std::uint64_t barrier_shades = 0;  ///< references that write barriers, loads and copies shaded while a cycle marked
  std::uint64_t blocks_swept_on_allocation = 0;
  std::uint64_t blocks_swept_in_background = 0;  ///< by workers, and when the next cycle began

  // -- Stops. With Options::stop = ragged no processor ever waits for another one, and both stay 0.
  std::uint64_t longest_all_stopped_ns = 0;  ///< from when the last processor stopped to when all were let go
  std::uint64_t times_held = 0;              ///< processors held, once for each and stop
  // -- Processor time, in nanoseconds.
  std::uint64_t mark_cpu_ns = 0;    ///< marking, assists not included
  std::uint64_t assist_cpu_ns = 0;  ///< marking by goroutines that allocate
  std::uint64_t scan_cpu_ns = 0;    ///< roots
  std::uint64_t sweep_cpu_ns = 0;
  std::uint64_t collector_cpu_ns = 0;  ///< all of the collector: the four above and its handshake operations
  std::uint64_t idle_cpu_ns = 0;       ///< part of it that workers with nothing to run did
  std::uint64_t quanta =
      0;  ///< portions of collector work that kept a runnable goroutine waiting, assists not included
  std::uint64_t process_cpu_ns = 0;  ///< the whole process since it started, all threads

  // -- Goroutines.
  std::uint64_t goroutines = 0;  ///< gauge: started and not yet ended
  std::uint64_t goroutines_created = 0;
  std::uint64_t switches = 0;       ///< times a worker resumed a goroutine
  std::uint64_t schedule_hash = 0;  ///< of the goroutines in the order in which they ran, see Options::seed; else 0
  std::uint64_t parks = 0;
  std::uint64_t wakeups = 0;      ///< parked goroutines made runnable
  std::uint64_t steals = 0;       ///< goroutines taken from another processor's queue
  std::uint64_t preemptions = 0;  ///< slices that ended at a poll
  std::uint64_t stacks_scanned = 0;
  std::uint64_t stacks_scanned_by_runner = 0;  ///< of these, by the worker that was about to resume the goroutine
  std::uint64_t stacks_skipped = 0;            ///< unchanged since an earlier cycle (Options::stack_summary)
  std::uint64_t stack_bytes_released = 0;      ///< given back by Options::stack_shrink

  // -- Balance of marking.
  std::vector<std::uint64_t> marked_bytes;     ///< by processor, over all cycles
  std::uint64_t mark_packets = 0;              ///< gauge: packets of grey objects, 4 KiB each, that marking has needed
  std::uint64_t marked_bytes_by_executor = 0;  ///< by threads that are no workers (Options::mark_executor)

  // -- Network.
  std::uint64_t network_descriptors = 0;          ///< gauge: sockets that are open
  std::uint64_t network_waiters = 0;              ///< gauge: calls on them that wait
  std::uint64_t network_polls = 0;                ///< looks at descriptors by workers that do not sleep
  std::uint64_t network_polls_while_marking = 0;  ///< of these, while a cycle marked

  // -- Handshakes.
  std::uint64_t handshakes = 0;         ///< requested
  HistogramSnapshot time_to_safepoint;  ///< from a handshake's request to each processor's acknowledgement
  /// How long a goroutine that could run did not, because its processor worked for the collector in its
  /// place.
  HistogramSnapshot kept_from_running;
};

/// A snapshot; while nothing runs, the final one of the last run. From any goroutine or thread. Does not
/// park.
Statistics statistics();

/// Writes the heap profile of the run in progress, in the format of pprof (`go tool pprof PROGRAM FILE`): by call stack, the bytes
/// and objects allocated since its start, and those that are live as far as the last sweep knows (collect() first for an exact
/// time). Sampled: see Options::heap_profile_rate. The file appears whole or not at all:
/// it is written as `path` with ".unfinished" behind, and renamed.
/// From any goroutine or thread; blocks the thread while it writes. Throws std::system_error, with the path of the file that failed, if it
/// cannot be written; std::logic_error when nothing runs, or with collector = boehm, which is not sampled.
void write_heap_profile(const std::filesystem::path& path);

/// Writes what the run in progress has recorded, the newest events of each processor, as an execution trace of Go's
/// (`go tool trace FILE`, docs/tracing.md): who ran where, who woke whom, what each waited for, and the collector's work.
/// Options::trace_buffer turns recording on; when it is off, the trace is of this one instant: the goroutines that there are,
/// and what they wait for. The file appears whole or not at all:
/// it is written as `path` with ".unfinished" behind, and renamed.
/// From any goroutine or thread; stops nobody, blocks the thread while it writes, and takes memory for a copy of what was
/// recorded. Throws std::system_error, with the path of the file that failed, if it cannot be written; std::logic_error when nothing runs.
void write_trace(const std::filesystem::path& path);

/// Prints each goroutine's id, name, state, what it waits for and since when, and a backtrace. Does not park;
/// the others go on meanwhile, so that it is no consistent picture. Prints one line when nothing runs.
void dump_goroutines(std::FILE* file);

}  // namespace tandem
