#pragma once
// Starting and stopping the runtime: Options and run().
//
//   #include <tandem/tandem.h>
//   int main() {
//     return tandem::run({.processors = 4}, [] { /* the first goroutine */ });
//   }

#include <chrono>
#include <concepts>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace tandem {

/// What a run can be told. Every field but `on_unhandled` can also be set by the environment variable
/// TANDEM_<FIELD> (upper case, e.g. TANDEM_GC_PERCENT=50), which overrides what the code sets. In variables,
/// bytes take the suffixes K, M and G (powers of 1024), durations ms or s (a bare number is milliseconds),
/// switches are on or off (or 1 or 0), enumerations are given by the name of their value.
///
/// run() throws std::invalid_argument, before anything has started, for a value that is out of range or that
/// this build does not offer; the message names the field or variable, the value and what is allowed. Values
/// marked (later) are reserved: they are refused, never ignored.
struct Options {
  enum class Collector : std::uint8_t {
    concurrent,  ///< the library's own: precise, concurrent, in cycles that stop nobody
    boehm,       ///< bdwgc behind the same interface: it stops the world (docs/decisions/boehm.md)
    none,        ///< never collects; memory is given back when run returns
  };
  enum class Poller : std::uint8_t {
    automatic,  ///< epoll, which is the faster one for sockets that are mostly idle (docs/decisions/io-uring.md)
    epoll,
    io_uring,  ///< multishot polls; where the kernel refuses it, epoll and a line on stderr
  };
  enum class Stop : std::uint8_t {
    ragged,          ///< each processor passes each step of a cycle at its own safepoint; none waits for another
    stop_the_world,  ///< the same cycle, but processors are held at their safepoint until it has ended
  };
  enum class RootsBy : std::uint8_t {
    first_claim,  ///< a parked stack is scanned by whoever comes first: a collector worker, or who resumes it
    owner,        ///< by the processor it ran on last, or who resumes it; nobody else, unless that processor is idle
    worker,       ///< by collector workers only: a goroutine that is to be resumed waits for one
  };
  enum class Roots : std::uint8_t {
    precise,       ///< the tagged slots of Local
    conservative,  ///< every word of a stack that leads to an object of the heap, besides the tagged slots
  };
  enum class WriteBarrier : std::uint8_t {
    hybrid,            ///< shades the overwritten value, and the new one while the stack is unscanned
    insertion_rescan,  ///< Dijkstra's: shades the new value only; stacks are scanned again in a stop that ends marking
    none,              ///< none, with stop_the_world only
  };
  enum class MarkExecutor : std::uint8_t {
    scheduler,  ///< the scheduler's own workers
    tbb,        ///< a oneTBB arena that knows nothing of goroutines
    threads,    ///< threads of its own
  };
  enum class MarkOrder : std::uint8_t {
    prefetch,  ///< last in, first out, behind a queue of mark_prefetch objects that are being fetched
    lifo,      ///< last in, first out: depth first
    fifo,      ///< first in, first out: breadth first
    block,     ///< block by block, all grey objects of one at a time, as Go's Green Tea does
  };
  enum class Sweep : std::uint8_t {
    lazy_and_background,  ///< on allocation, and by workers that have nothing else to do
    lazy,                 ///< on allocation, by collect(), and what is left when the next cycle begins
    eager,                ///< never on allocation, all by workers, as marking; with stop_the_world within the stop
  };
  enum class Pacer : std::uint8_t {
    goal,   ///< a cycle ends when the heap has grown by gc_percent, or stays below memory_limit
    fixed,  ///< a cycle each pacer_fixed_bytes, whatever is live
    off,    ///< cycles by collect() only
  };

  /// What on_unhandled is told. Valid during the call only.
  struct Unhandled {
    std::uint64_t goroutine_id;
    const char* goroutine_name;    ///< "" when it has none
    std::exception_ptr exception;  ///< never null
  };

  // -- What programs set.

  /// Processors, that is how many goroutines run at the same time; one worker thread each. 1 to 256, or 0 for
  /// the CPUs that this process may use (affinity mask; 1 when a seed is given).
  std::uint32_t processors = 0;
  Collector collector = Collector::concurrent;
  /// How much the heap may grow over what was live after the last cycle before the next one is due, in per
  /// cent. 5 to 10000, or -1: not by growth (memory_limit and collect() still start cycles).
  std::int32_t gc_percent = 100;
  /// Bytes that the managed heap may take. 1 MiB to 64 TiB (65536G), or 0: no limit. Allocation beyond it after a full
  /// collection throws std::bad_alloc.
  std::uint64_t memory_limit = 0;
  /// Bytes to which a goroutine's stack may grow, guard included; rounded up to a power of two. 64 KiB to 1
  /// GiB.
  std::uint64_t stack_size_max = std::uint64_t{256} << 10;
  Poller poller = Poller::automatic;
  /// Any 64-bit number. Not 0: random scheduling choices (victims of steals, ready cases of a select) come from this seed
  /// instead of the time. One processor then, unless `processors` says otherwise. With one, the whole schedule
  /// follows from the seed: goroutines change at polls that it chooses, and time is virtual, it passes when nothing is
  /// runnable (this_goroutine::now()). The same program with the same seed gives the same Statistics::schedule_hash,
  /// as long as nothing outside has a say: descriptors, threads, long blocking(f).
  std::uint64_t seed = 0;
  /// After main has returned: how long a cancelled goroutine may go on without blocking before it is reported
  /// and the process exits with status 2. 0 ms to 1 h; 0: does not wait at all.
  std::chrono::milliseconds shutdown_grace{5000};
  /// Called on the goroutine that an exception left; when it returns, that goroutine has ended and the others
  /// go on. Of an exception that left a cleanup (add_cleanup) it is told on the goroutine that runs these, "finalizer", or
  /// main's at the end of the run; when it returns, the next one runs. Null: a message with id, name, what() and backtrace, then std::terminate. Must not throw or park.
  void (*on_unhandled)(const Unhandled& unhandled) noexcept = nullptr;
  /// As stack_size_max, for the goroutine that runs main. 64 KiB to 1 GiB.
  std::uint64_t first_stack_size_max = std::uint64_t{8} << 20;

  // -- What is reported on stderr.

  /// A processor that reaches no safepoint for so long is reported, with its goroutine's backtrace; 0: off. 0
  /// ms to 1 h.
  std::chrono::milliseconds safepoint_report{1000};
  /// A line for each collection cycle.
  bool gctrace = false;
  /// A line about the scheduler each time so long has passed; 0: off. 0 ms to 1 h.
  std::chrono::milliseconds schedtrace{0};
  /// For write_heap_profile: of the allocations one in so many bytes is sampled, on average; 0: none. 0 to 1 GiB.
  std::uint64_t heap_profile_rate = std::uint64_t{512} << 10;
  /// File for a trace of the whole run, as write_trace() writes it, when run() is about to return; empty: none. What cannot be
  /// written is reported on stderr, and so are the events that did not fit (trace_buffer).
  std::string trace{};
  /// Bytes that each processor keeps of what it records for traces, 32 for an event (a switch is two): the newest events. They
  /// take memory as they are used. 64 KiB to 16 GiB; 0: 32 MiB if `trace` is set, else nothing is recorded.
  std::uint64_t trace_buffer = 0;

  // -- Policies where scheduler and collector meet.

  Stop stop = Stop::ragged;
  RootsBy roots_by = RootsBy::first_claim;
  Roots roots = Roots::precise;
  WriteBarrier barrier = WriteBarrier::hybrid;
  /// Who marks. With tbb and threads the scheduler's workers scan roots and sweep, and decide when marking has ended, but mark
  /// nothing; so many threads mark as mark_share of the processors, rounded up, and nothing keeps them from CPUs that
  /// goroutines want.
  MarkExecutor mark_executor = MarkExecutor::scheduler;
  /// Part of a processor's time that collector work takes while goroutines are runnable, in quanta of mark_share times a
  /// millisecond. 0.01 to 0.9.
  double mark_share = 0.25;
  /// Do workers that have nothing to run work for the collector? Off: they do mark_share of their time, like the others.
  bool mark_idle = true;
  /// Does a goroutine that allocates faster than marking keeps up help?
  bool mark_assist = true;
  /// The longest that one assist keeps its goroutine from going on, in microseconds. 10 to 1000000.
  std::uint32_t mark_assist_max_us = 500;
  MarkOrder mark_order = MarkOrder::prefetch;
  /// For mark_order = prefetch: objects that are being fetched while others are scanned. 1 to 64.
  std::uint32_t mark_prefetch = 16;
  Sweep sweep = Sweep::lazy_and_background;
  Pacer pacer = Pacer::goal;
  /// For pacer = fixed: bytes allocated between two cycles. 64 KiB to 1 TiB.
  std::uint64_t pacer_fixed_bytes = std::uint64_t{64} << 20;
  /// Asks the system for huge pages for the heap, where it gives them to those who ask. They are what makes marking fast.
  bool huge_pages = true;
  /// Memory that a thread keeps ready ahead of allocation, so that goroutines need not wait while the system clears it: at
  /// most so many bytes, and an eighth of the heap. 2 MiB to 1 GiB; 0: none. Without effect with a seed, on one CPU, and with
  /// collector = boehm.
  std::uint64_t memory_ahead = std::uint64_t{8} << 20;
  /// Gives pages below a parked goroutine's stack pointer, which it used once, back to the system; each stack is looked at in
  /// one of 16 cycles, or of 64 where summaries are kept.
  bool stack_shrink = true;
  /// Keeps the few roots of a parked goroutine from one cycle to the next, so that a stack which has not run since is not walked
  /// again. While it does, changing a Local costs a nanosecond more. Without effect with roots = conservative.
  bool stack_summary = true;
  /// Parked goroutines from which on that is worth it. 0 to 16777216; 0: always.
  std::uint32_t stack_summary_from = 32768;
  /// Do workers that have something to run or to mark look at descriptors while a cycle is marking? (One that has nothing to
  /// do sleeps in the poller all the same.)
  bool netpoll_during_mark = true;
  /// How long a goroutine runs before it is asked to yield to others. 1 ms to 10 s.
  std::chrono::milliseconds slice{10};

  // -- Zeal: makes rare things frequent, for tests. All off.

  /// Starts a cycle after so many refills of allocation windows (each serves up to 64 objects). Any 64-bit number; 0: off.
  std::uint64_t collect_every = 0;
  /// Checks after each marking, with the world held, that everything reachable is marked.
  bool verify_after_mark = false;
  /// Fills freed cells with a pattern, so that a use after free shows.
  bool poison_freed = false;
  /// Every poll requests a handshake (that does nothing) unless one is in flight.
  bool handshake_every_poll = false;
  /// Every poll of a goroutine yields.
  bool yield_every_poll = false;
  /// Workers look at other processors' queues before their own.
  bool steal_always = false;
};

/// The options in force, one `TANDEM_FIELD=value` line each, as the environment would set them; before and
/// after a run: the defaults with the environment applied. Throws std::invalid_argument when the environment
/// holds a bad value.
std::string options_as_text();

namespace detail {
/// Runs invoke(closure) as the first goroutine and returns its result when everything has ended.
int run_erased(const Options& options, int (*invoke)(void* closure), void* closure);
}  // namespace detail

/// Boots the runtime and runs `main` as the first goroutine; the calling thread is one of the workers.
/// Returns main's result converted to int, 0 when it returns void; an exception that leaves main leaves run,
/// after the same shutdown.
///
/// When main returns, every other goroutine is cancelled and awaited (see shutdown_grace), then the
/// destructors and cleanups of the managed objects that are left run and Persistents become null. It can be
/// called again afterwards.
///
/// Blocks until all that is done. Throws std::logic_error when a run is in progress, from this thread or
/// another; std::invalid_argument for bad options; std::bad_alloc or std::system_error when the system
/// refuses memory or threads.
template <typename Main>
  requires std::invocable<Main&>
int run(const Options& options, Main&& main) {
  using Result = std::invoke_result_t<Main&>;
  static_assert(std::is_void_v<Result> || std::is_convertible_v<Result, int>,
                "tandem::run: main returns void or something that converts to int");
  using Closure = std::remove_reference_t<Main>;
  auto invoke = [](void* closure) -> int {
    Closure& body = **static_cast<Closure**>(closure);
    if constexpr (std::is_void_v<Result>) {
      std::invoke(body);
      return 0;
    } else {
      return static_cast<int>(std::invoke(body));
    }
  };
  // A pointer to a pointer: Closure may be a function, whose address does not convert to void*.
  Closure* body = std::addressof(main);
  return detail::run_erased(options, invoke, &body);
}

/// run() with the default options.
template <typename Main>
  requires std::invocable<Main&>
int run(Main&& main) {
  return run(Options{}, std::forward<Main>(main));
}

}  // namespace tandem
