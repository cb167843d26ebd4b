#pragma once
// The state of goroutines and processors as a trace has told it so far, and the transitions that Go's reader takes (go_trace.h).
// Every function leaves a trace behind that is consistent, whatever state it finds.

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "runtime/boot/go_trace_format.h"
#include "runtime/boot/go_trace_timeline.h"

namespace tandem::boot {

// Processors that Go's tools know and that are none.
inline constexpr std::uint64_t kNoProcessor = 1'000'000;       // the opening: goroutines that existed before
inline constexpr std::uint64_t kNetworkProcessor = 1'000'002;  // wake-ups from outside
inline constexpr std::uint64_t kCollectorProcessor = 1'000'004;

struct TracedGoroutine {
  enum State : std::uint8_t { kAbsent, kRunnable, kRunning, kWaiting, kInBlocking, kEnded };
  State state = kAbsent;
  std::uint32_t processor = 0;  // where it runs
  std::uint64_t sequence = 0;   // of the transitions that Go's reader orders by number
  std::uint64_t label = 0;      // text; 0: unknown
};

struct TracedProcessor {
  std::uint64_t running = 0;                      // goroutine
  bool driven = false;                            // between ProcStart and ProcStop
  seam::TraceKind span = seam::TraceKind::kNone;  // the collector work that it does
  std::uint32_t depth = 0;                        // spans begun; only the outermost is written
  std::uint64_t interrupted = 0;                  // the goroutine that the collector's goes before
  bool collector_created = false;
};

class TraceStage {
 public:
  using TraceKind = seam::TraceKind;
  using Event = Timeline::Event;
  using State = TracedGoroutine::State;

  TraceStage(Timeline timeline, std::uint32_t processors) : timeline_(std::move(timeline)), processors_(processors) {}

  // -- Writing. Times grow with every event, so Go's reader merges the processors in our order.

  void write(std::uint64_t processor, GoEvent type, std::initializer_list<std::uint64_t> arguments = {});
  /// Before everything else.
  void write_opening(GoEvent type, std::initializer_list<std::uint64_t> arguments);
  static std::uint64_t number_of(std::uint32_t processor);
  std::uint64_t label_of(TracedGoroutine& goroutine);
  std::uint64_t stack_of(TracedGoroutine& goroutine);
  std::uint64_t stack_of(TracedGoroutine& goroutine, std::string_view innermost);
  std::uint64_t stack_on(std::uint32_t processor);

  // -- Goroutines.

  /// As having been there before the trace began.
  void open_goroutine(std::uint64_t id, State state);

  /// The goroutine's next event, if it is of this kind: it will not be played again. Null otherwise.
  const Event* take_ahead(TraceKind kind);

  void wake(std::uint64_t id, std::uint32_t processor);
  void end_blocking(std::uint64_t id, std::uint32_t processor);

  /// False: it has ended.
  bool make_runnable(std::uint64_t id);

  /// True: it runs there, now if not before.
  bool start(std::uint64_t id, std::uint32_t processor);
  void resume(std::uint64_t id, std::uint32_t processor);

  /// The running goroutine gives its processor up.
  void leave(std::uint32_t processor, GoEvent how, State state, std::string_view innermost);

  /// Nothing runs on the processor any more, the collector's work neither.
  void vacate(std::uint32_t processor);

  // -- Processors.

  void be_driven(std::uint32_t processor, std::uint64_t worker = 0);
  void stop(std::uint32_t processor);

  // -- Collector work.

  static bool has_own_events(TraceKind kind, bool on_goroutine);

  void begin_span(const Event& event);

  void start_collector(std::uint32_t processor, std::string_view label);

  void end_span(std::uint32_t processor, bool resumes);

  // -- The collector as a whole. Its begin may lie before the trace's.

  void begin_cycle();
  void end_cycle();
  void begin_stop();
  void end_stop();

 protected:
  Timeline timeline_;
  GoTraceFormat format_;
  std::unordered_map<std::uint64_t, TracedGoroutine> goroutines_;
  std::vector<TracedProcessor> processors_;
  std::uint64_t last_id_ = 0;  // the collector's goroutines have the ids after it
  std::size_t current_ = 0;    // the event that is played
  std::uint64_t now_ = 1;      // ns since the trace began, from 1 on
  bool opening_ = false;
  std::uint64_t cycles_ = 0;
  bool in_cycle_ = false;
  bool stopped_ = false, any_stop_ = false;
};

}  // namespace tandem::boot
