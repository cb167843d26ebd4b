#pragma once
// The recorder of execution traces: what each processor did and when, as records of fixed size in a ring of its own. It knows
// nothing of the file's format (runtime/boot/go_trace.h): it notes, and the writer makes sense of it.
//
//   T1  Off (Processor::trace is null) an event costs one test of a field beside those that the caller has just touched.
//   T2  A processor's ring has one writer at a time: who drives the processor. (Who has claimed it for a handshake records
//       nothing on its behalf; the monitor does for the instant in which it owns a processor that it takes away.)
//   T3  What happens on no processor (foreign threads, the monitor), and what is rare and concerns all (cycles, stops), goes
//       to one more ring, under a lock.
//   T4  A ring is copied while it is written, and nobody waits. A word is stored with release and copied with acquire: who
//       copies a word of record n sees, afterwards, a count of at least n, and throws away whatever record n may have
//       overwritten.
//   T5  An event is recorded before its effect can be seen: a park before the goroutine is published, a wake-up before the
//       goroutine is runnable. So the clock orders what depends on one another, to the precision of the clock.
//
// Times are real, also in a simulation (base::real_now_ns): recording changes nothing of what is recorded but its speed.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/spin_lock.h"
#include "runtime/seam/goroutine.h"
#include "runtime/seam/processor.h"

namespace tandem::seam {

/// What `goroutine` and `argument` of a record are. Texts are pointers to static or interned ones.
enum class TraceKind : std::uint32_t {
  kNone,
  // -- A goroutine, by id.
  kCreate,         // argument: its label
  kStart,          // runs on this processor from here on
  kBlock,          // argument: the reason, as in dumps
  kYield,          // goes to the end of the queue
  kPreempt,        // likewise, because its slice is over
  kEnd,            // has returned; argument: its label, for its creation may have been overwritten
  kUnblock,        // is runnable again
  kBlockingBegin,  // enters blocking(f)
  kBlockingEnd,    // f has returned; it needs a processor
  // -- A processor.
  kProcessorStart,  // argument: index of the worker
  kProcessorStop,
  // -- The collector.
  kCycleBegin,  // argument: its number
  kCycleEnd,
  kStopBegin,  // stop_the_world and the like
  kStopEnd,
  kHeapBytes,  // argument: bytes
  kHeapGoal,   // argument: bytes
  // -- Spans of collector work, recorded when they end. goroutine: the one that is kept from running; 0: none.
  // argument: when the span began, ns.
  kMarkFractional,
  kMarkIdle,
  kMarkHeld,
  kMarkAssist,
  kSweep,
};

/// A goroutine's label: the mangled name of its closure's type, 0 for unknown; or, with this bit, its own name.
inline constexpr std::uint64_t kTraceName = std::uint64_t{1} << 63;

struct TraceRecord {
  std::uint64_t time_ns = 0;  // base::real_now_ns
  TraceKind kind = TraceKind::kNone;
  std::uint64_t goroutine = 0;
  std::uint64_t argument = 0;
};

/// A ring of the newest records.
class TraceRing {
 public:
  /// Address space of so many bytes, of which only what is used takes memory. Throws std::bad_alloc.
  explicit TraceRing(std::size_t bytes);
  ~TraceRing();
  TraceRing(const TraceRing&) = delete;
  TraceRing& operator=(const TraceRing&) = delete;

  /// The owner (T2).
  void add(TraceKind kind, std::uint64_t goroutine, std::uint64_t argument) {
    add_at(base::real_now_ns(), kind, goroutine, argument);
  }
  /// For two events at one time; not before that of the record before.
  void add_at(std::uint64_t time_ns, TraceKind kind, std::uint64_t goroutine, std::uint64_t argument);

  struct Copy {
    std::vector<TraceRecord> records;  // oldest first
    std::uint64_t overwritten = 0;     // records that are gone
  };
  /// Anybody, at any time (T4).
  Copy copy() const;

 private:
  struct Slot {
    std::atomic<std::uint64_t> time_ns, kind, goroutine, argument;
  };
  Slot& slot(std::uint64_t number) const { return slots_[number % capacity_]; }

  std::size_t bytes_;
  std::uint64_t capacity_;
  Slot* slots_;
  std::atomic<std::uint64_t> count_{0};  // of all records ever added; single writer
};

/// The rings of one run. Boot makes it before the scheduler starts; outlives the run while somebody writes its trace.
class Trace {
 public:
  /// Throws std::bad_alloc.
  Trace(std::uint32_t processors, std::size_t ring_bytes);

  TraceRing& ring(std::uint32_t processor) const { return *rings_[processor]; }
  std::uint32_t processors() const { return static_cast<std::uint32_t>(rings_.size()); }
  std::uint64_t began_ns() const { return began_ns_; }

  /// Any thread (T3).
  void add_outside(TraceKind kind, std::uint64_t goroutine, std::uint64_t argument);
  TraceRing::Copy copy_outside() const { return outside_.copy(); }

  /// A copy of a goroutine's name that lives as long as this; null when there are too many different ones. Any thread.
  const char* intern(std::string_view name);

 private:
  static constexpr std::size_t kNamesMax = 10'000;

  const std::uint64_t began_ns_;
  std::vector<std::unique_ptr<TraceRing>> rings_;
  TraceRing outside_;
  base::SpinLock outside_lock_;
  base::SpinLock names_lock_;
  std::set<std::string, std::less<>> names_;
};

/// Records on the processor that the caller drives.
[[gnu::always_inline]] inline void trace(Processor& here, TraceKind kind, std::uint64_t goroutine = 0,
                                         std::uint64_t argument = 0) {
  if (here.trace != nullptr) [[unlikely]]
    here.trace->add(kind, goroutine, argument);
}

/// Records what happens on no processor, or concerns all. Any thread while the runtime runs.
void trace_outside(TraceKind kind, std::uint64_t goroutine = 0, std::uint64_t argument = 0);

/// The label of a goroutine that exists. While something is recorded.
[[gnu::cold]] std::uint64_t trace_label(const Goroutine& goroutine);

/// A goroutine has been created, by `here` or, where that is null, from outside. Its creator, before it is runnable.
[[gnu::cold]] void trace_create(Processor* here, const Goroutine& goroutine);

/// Collector work from here on until end(). Does nothing while nothing is recorded.
class TraceSpan {
 public:
  explicit TraceSpan(Processor& here) : begin_ns_(here.trace != nullptr ? base::real_now_ns() : 0) {}
  /// On the same processor; the goroutine that it runs is the one that was kept from running.
  void end(Processor& here, TraceKind kind) const {
    if (here.trace != nullptr) [[unlikely]]
      here.trace->add(kind, here.running != nullptr ? here.running->id : 0, begin_ns_);
  }

 private:
  std::uint64_t begin_ns_;
};

}  // namespace tandem::seam
