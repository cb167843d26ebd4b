#pragma once
// From what has been recorded (seam/trace.h) to a file that `go tool trace` opens. A pure function: it has no clock and
// looks at nothing but its input.
//
// Go's reader takes a trace only if it is consistent: no goroutine runs twice, none runs that waits, none wakes up twice. A
// recording that began somewhere in the middle, whose rings have overflown, and whose clocks are those of several CPUs, is
// not. So the writer plays the events in the order of their times, keeps the state of each goroutine and processor, writes
// what is possible in that state, and repairs the rest:
//
//   unknown goroutine             it is created when the trace begins, as what its first event says: runnable, waiting, running
//   starts, but waits             its wake-up is moved forward, if it comes next; or made up
//   starts, but runs elsewhere    is preempted there
//   woken, but does not wait      left out
//   starts where another runs     that one is preempted
//   an end without its begin      the begin is put where the trace begins; for goroutines that have ended: left out
//
// What is not Go's is told in Go's words: collector work in quanta is done by one goroutine "collector" for each processor,
// labelled like Go's mark workers, in whose favour the running goroutine is preempted.

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "runtime/seam/goroutine.h"
#include "runtime/seam/trace.h"

namespace tandem::boot {

struct Recording {
  /// Instead of a processor: what happened on none.
  static constexpr std::uint32_t kOutside = std::numeric_limits<std::uint32_t>::max();

  struct Event : seam::TraceRecord {
    std::uint32_t processor = kOutside;
  };

  /// A goroutine that existed at the end.
  struct LiveGoroutine {
    std::uint64_t id = 0;
    seam::GoroutineState state = seam::kWaiting;
    std::uint32_t processor = kOutside;  // where it runs
    std::string wait_reason;             // when waiting
    std::string label;                   // its name, or that of its function
  };

  std::uint32_t processors = 0;
  /// Events outside of this time are not written.
  std::uint64_t begin_ns = 0, end_ns = 0;
  std::vector<Event> events;              // in any order; of equal times, in that of the vector
  std::vector<LiveGoroutine> goroutines;  // only those without events are looked at, and labels
};

/// The contents of the file.
std::string go_trace(const Recording& recording);

}  // namespace tandem::boot
