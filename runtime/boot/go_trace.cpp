#include "runtime/boot/go_trace.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "runtime/boot/go_trace_format.h"
#include "runtime/boot/go_trace_timeline.h"
#include "runtime/boot/go_trace_words.h"

namespace tandem::boot {

namespace {

using seam::TraceKind;
using Event = Timeline::Event;

// Processors that Go's tools know and that are none.
constexpr std::uint64_t kNoProcessor = 1'000'000;       // the opening: goroutines that existed before
constexpr std::uint64_t kNetworkProcessor = 1'000'002;  // wake-ups from outside
constexpr std::uint64_t kCollectorProcessor = 1'000'004;

constexpr std::uint64_t kUnlimited = std::uint64_t{1} << 62;  // a heap goal from here on is none

struct TracedGoroutine {
  enum State : std::uint8_t { kAbsent, kRunnable, kRunning, kWaiting, kInBlocking, kEnded };
  State state = kAbsent;
  std::uint32_t processor = 0;  // where it runs
  std::uint64_t sequence = 0;   // of the transitions that Go's reader orders by number
  std::uint64_t label = 0;      // text; 0: unknown
};

struct TracedProcessor {
  std::uint64_t running = 0;          // goroutine
  bool driven = false;                // between ProcStart and ProcStop
  TraceKind span = TraceKind::kNone;  // the collector work that it does
  std::uint32_t depth = 0;            // spans begun; only the outermost is written
  std::uint64_t interrupted = 0;      // the goroutine that the collector's goes before
  bool collector_created = false;
};

class Player {
 public:
  explicit Player(const Recording& recording)
      : recording_(recording), timeline_(recording), processors_(recording.processors) {}

  std::string play() {
    learn_labels();
    open();
    for (current_ = 0; current_ < timeline_.events().size(); ++current_) {
      const Event& event = timeline_.events()[current_];
      now_ = std::max(event.time_ns - recording_.begin_ns + 1, now_ + 1);
      if (!event.taken) apply(event);
    }
    close();
    return format_.encode();
  }

 private:
  using State = TracedGoroutine::State;

  // -- Writing. Times grow with every event, so Go's reader merges the processors in our order.

  void write(std::uint64_t processor, GoEvent type, std::initializer_list<std::uint64_t> arguments = {}) {
    format_.event(processor, type, opening_ ? 0 : now_++, arguments);
  }
  /// Before everything else.
  void write_opening(GoEvent type, std::initializer_list<std::uint64_t> arguments) {
    format_.event(kNoProcessor, type, 0, arguments);
  }
  static std::uint64_t number_of(std::uint32_t processor) {
    return processor == Recording::kOutside ? kNetworkProcessor : processor;
  }
  std::uint64_t label_of(TracedGoroutine& goroutine) {
    if (goroutine.label == 0) goroutine.label = format_.text("goroutine");
    return goroutine.label;
  }
  std::uint64_t stack_of(TracedGoroutine& goroutine) { return format_.stack({label_of(goroutine)}); }
  std::uint64_t stack_of(TracedGoroutine& goroutine, std::string_view innermost) {
    return format_.stack({format_.text(innermost), label_of(goroutine)});
  }
  std::uint64_t stack_on(std::uint32_t processor) {
    const std::uint64_t running = processor == Recording::kOutside ? 0 : processors_[processor].running;
    return running == 0 ? 0 : stack_of(goroutines_[running]);
  }

  // -- Begin and end.

  /// From all events, also those that are not written.
  void learn_labels() {
    std::unordered_map<std::uint64_t, std::uint64_t> texts;  // by label
    for (const Recording::LiveGoroutine& live : recording_.goroutines)
      if (!live.label.empty()) goroutines_[live.id].label = format_.text(live.label);
    for (const Recording::Event& event : recording_.events) {
      if ((event.kind != TraceKind::kCreate && event.kind != TraceKind::kEnd) || event.argument == 0) continue;
      std::uint64_t& text = texts[event.argument];
      if (text == 0) text = format_.text(label_text(event.argument));
      goroutines_[event.goroutine].label = text;
    }
  }

  void open() {
    write_opening(GoEvent::kGomaxprocs, {recording_.processors, 0});
    for (const Event& event : timeline_.events()) {
      last_id_ = std::max(last_id_, event.goroutine);
      first_events_.try_emplace(event.goroutine, &event);
    }
    for (const Recording::LiveGoroutine& live : recording_.goroutines) last_id_ = std::max(last_id_, live.id);
    opening_ = true;
    std::vector<std::uint64_t> running = timeline_.running_at_begin(recording_.processors);
    for (const Recording::LiveGoroutine& live : recording_.goroutines)
      if (!created_later(live.id) && !first_events_.contains(live.id)) open_silent(live, running);
    for (std::uint32_t i = 0; i < recording_.processors; ++i)
      if (running[i] != 0) start(running[i], i);
    opening_ = false;
  }

  /// Has it been created after the end of the trace?
  bool created_later(std::uint64_t id) {
    if (later_.empty()) {
      later_.insert(0);
      for (const Recording::Event& event : recording_.events)
        if (event.time_ns > recording_.end_ns && event.kind == TraceKind::kCreate) later_.insert(event.goroutine);
    }
    return later_.contains(id);
  }

  /// A goroutine of which the recording says nothing, so that it has been what it is all the time. It starts and parks when
  /// the trace begins: only so do Go's tools get to know what it is, and what it waits for.
  void open_silent(const Recording::LiveGoroutine& live, std::vector<std::uint64_t>& running) {
    if (live.state == seam::kDead) return;
    if (live.state == seam::kRunning) {
      if (live.processor < running.size() && running[live.processor] == 0) running[live.processor] = live.id;
      return;
    }
    TracedGoroutine& goroutine = goroutines_[live.id];
    open_goroutine(live.id, State::kRunnable);
    if (live.state == seam::kRunnable) return;
    write_opening(GoEvent::kGoStart, {live.id, goroutine.sequence++});
    if (live.state == seam::kBlocked) {
      write_opening(GoEvent::kGoSysCall, {stack_of(goroutine, "blocking call")});
      write_opening(GoEvent::kGoSysBlock, {});
      goroutine.state = State::kInBlocking;
      return;
    }
    const std::string_view reason = live.wait_reason.empty() ? std::string_view("waiting") : live.wait_reason;
    write_opening(block_event(reason), {stack_of(goroutine, reason)});
    goroutine.state = State::kWaiting;
  }

  void close() {
    if (recording_.end_ns > recording_.begin_ns) now_ = std::max(now_, recording_.end_ns - recording_.begin_ns + 1);
    for (std::uint32_t i = 0; i < recording_.processors; ++i) vacate(i);
    if (stopped_) write(kCollectorProcessor, GoEvent::kGCSTWDone);
    if (in_cycle_) write(kCollectorProcessor, GoEvent::kGCDone);
    write(kNoProcessor, GoEvent::kGomaxprocs, {recording_.processors, 0});
  }

  // -- Goroutines.

  /// As having been there before the trace began.
  void open_goroutine(std::uint64_t id, State state) {
    TracedGoroutine& goroutine = goroutines_[id];
    write_opening(GoEvent::kGoCreate, {id, stack_of(goroutine), 0});
    goroutine.sequence = 1;
    goroutine.state = state;
    if (state == State::kRunnable) return;
    write_opening(state == State::kInBlocking ? GoEvent::kGoInSyscall : GoEvent::kGoWaiting, {id});
    ++goroutine.sequence;
  }

  /// The goroutine's next event, if it is of this kind: it will not be played again. Null otherwise.
  const Event* take_ahead(TraceKind kind) {
    if (current_ >= timeline_.events().size()) return nullptr;
    const std::size_t next = timeline_.events()[current_].next;
    if (next == Timeline::kNone || timeline_.events()[next].kind != kind) return nullptr;
    timeline_.events()[next].taken = true;
    return &timeline_.events()[next];
  }

  void wake(std::uint64_t id, std::uint32_t processor) {
    TracedGoroutine& goroutine = goroutines_[id];
    write(number_of(processor), GoEvent::kGoUnblock, {id, goroutine.sequence++, stack_on(processor)});
    goroutine.state = State::kRunnable;
  }
  void end_blocking(std::uint64_t id, std::uint32_t processor) {
    TracedGoroutine& goroutine = goroutines_[id];
    write(number_of(processor), GoEvent::kGoSysExit, {id, goroutine.sequence++, 0});
    goroutine.state = State::kRunnable;
  }

  /// False: it has ended.
  bool make_runnable(std::uint64_t id) {
    TracedGoroutine& goroutine = goroutines_[id];
    switch (goroutine.state) {
      case State::kAbsent: open_goroutine(id, State::kRunnable); break;
      case State::kRunnable: break;
      case State::kRunning: vacate(goroutine.processor); break;
      case State::kWaiting: {
        const Event* const late = take_ahead(TraceKind::kUnblock);
        wake(id, late != nullptr ? late->processor : Recording::kOutside);
        break;
      }
      case State::kInBlocking: {
        const Event* const late = take_ahead(TraceKind::kBlockingEnd);
        end_blocking(id, late != nullptr ? late->processor : Recording::kOutside);
        break;
      }
      case State::kEnded: return false;
    }
    return true;
  }

  /// True: it runs there, now if not before.
  bool start(std::uint64_t id, std::uint32_t processor) {
    TracedGoroutine& goroutine = goroutines_[id];
    if (goroutine.state == State::kRunning && goroutine.processor == processor && processors_[processor].running == id)
      return true;
    if (!make_runnable(id)) return false;
    vacate(processor);
    resume(id, processor);
    return true;
  }
  void resume(std::uint64_t id, std::uint32_t processor) {
    TracedGoroutine& goroutine = goroutines_[id];
    be_driven(processor);
    write(processor, GoEvent::kGoStart, {id, goroutine.sequence++});
    goroutine.state = State::kRunning;
    goroutine.processor = processor;
    processors_[processor].running = id;
  }

  /// The running goroutine gives its processor up.
  void leave(std::uint32_t processor, GoEvent how, State state, std::string_view innermost) {
    TracedGoroutine& goroutine = goroutines_[processors_[processor].running];
    if (how == GoEvent::kGoEnd || how == GoEvent::kGoSysBlock)
      write(processor, how);
    else
      write(processor, how, {innermost.empty() ? stack_of(goroutine) : stack_of(goroutine, innermost)});
    goroutine.state = state;
    processors_[processor].running = 0;
  }

  /// Nothing runs on the processor any more, the collector's work neither.
  void vacate(std::uint32_t processor) {
    TracedProcessor& mine = processors_[processor];
    if (mine.span != TraceKind::kNone) end_span(processor, false);
    if (mine.running != 0) leave(processor, GoEvent::kGoPreempt, State::kRunnable, {});
  }

  // -- Processors.

  void be_driven(std::uint32_t processor, std::uint64_t worker = 0) {
    TracedProcessor& mine = processors_[processor];
    if (!mine.driven) write(processor, GoEvent::kProcStart, {worker});
    mine.driven = true;
  }
  void stop(std::uint32_t processor) {
    vacate(processor);
    if (processors_[processor].driven) write(processor, GoEvent::kProcStop);
    processors_[processor].driven = false;
  }

  // -- Collector work.

  static bool has_own_events(TraceKind kind, bool on_goroutine) {
    return on_goroutine && (kind == TraceKind::kMarkAssist || kind == TraceKind::kSweep);
  }

  void begin_span(const Event& event) {
    TracedProcessor& mine = processors_[event.processor];
    if (mine.depth++ != 0) return;
    if (event.goroutine == 0)
      vacate(event.processor);
    else if (!start(event.goroutine, event.processor))
      return;
    mine.span = event.kind;
    mine.interrupted = 0;
    if (has_own_events(event.kind, mine.running != 0)) {
      const bool assist = event.kind == TraceKind::kMarkAssist;
      write(event.processor, assist ? GoEvent::kGCMarkAssistStart : GoEvent::kGCSweepStart,
            {stack_on(event.processor)});
      return;
    }
    if (mine.running != 0) {
      mine.interrupted = mine.running;
      leave(event.processor, GoEvent::kGoPreempt, State::kRunnable, "collector work");
    }
    start_collector(event.processor, work_label(event.kind));
  }

  void start_collector(std::uint32_t processor, std::string_view label) {
    TracedProcessor& mine = processors_[processor];
    const std::uint64_t id = last_id_ + 1 + processor;
    TracedGoroutine& collector = goroutines_[id];
    if (!mine.collector_created) {
      mine.collector_created = true;
      collector.label = format_.text("collector");
      open_goroutine(id, State::kWaiting);
    }
    be_driven(processor);
    wake(id, processor);
    write(processor, GoEvent::kGoStartLabel, {id, collector.sequence++, format_.text(label)});
    collector.state = State::kRunning;
    collector.processor = processor;
    mine.running = id;
  }

  void end_span(std::uint32_t processor, bool resumes) {
    TracedProcessor& mine = processors_[processor];
    const TraceKind kind = std::exchange(mine.span, TraceKind::kNone);
    const bool collector_runs = mine.running == last_id_ + 1 + processor;
    if (has_own_events(kind, !collector_runs)) {
      if (kind == TraceKind::kMarkAssist)
        write(processor, GoEvent::kGCMarkAssistDone);
      else
        write(processor, GoEvent::kGCSweepDone, {0, 0});
      return;
    }
    leave(processor, GoEvent::kGoBlock, State::kWaiting, {});
    const std::uint64_t interrupted = std::exchange(mine.interrupted, 0);
    if (resumes && interrupted != 0 && goroutines_[interrupted].state == State::kRunnable)
      resume(interrupted, processor);
  }

  // -- The collector as a whole. Its begin may lie before the trace's.

  void begin_cycle() {
    if (in_cycle_) write(kCollectorProcessor, GoEvent::kGCDone);
    write(kCollectorProcessor, GoEvent::kGCStart, {cycles_++, 0});
    in_cycle_ = true;
  }
  void end_cycle() {
    if (!in_cycle_ && cycles_ == 0)
      write_opening(GoEvent::kGCStart, {cycles_++, 0});
    else if (!in_cycle_)
      return;
    write(kCollectorProcessor, GoEvent::kGCDone);
    in_cycle_ = false;
  }
  void begin_stop() {
    if (!stopped_) write(kCollectorProcessor, GoEvent::kGCSTWStart, {std::uint64_t{in_cycle_ ? 0U : 1U}});
    stopped_ = any_stop_ = true;
  }
  void end_stop() {
    if (!stopped_ && any_stop_) return;
    if (!stopped_) write_opening(GoEvent::kGCSTWStart, {1});
    write(kCollectorProcessor, GoEvent::kGCSTWDone);
    stopped_ = false;
    any_stop_ = true;
  }

  // -- Events.

  void apply(const Event& event) {
    if (event.processor == Recording::kOutside)
      apply_outside(event);
    else if (event.part == Timeline::Part::kBegin)
      begin_span(event);
    else if (event.part == Timeline::Part::kEnd)
      apply_span_end(event.processor);
    else
      apply_on(event, event.processor);
  }

  void apply_span_end(std::uint32_t processor) {
    TracedProcessor& mine = processors_[processor];
    if (--mine.depth == 0 && mine.span != TraceKind::kNone) end_span(processor, true);
  }

  void apply_on(const Event& event, std::uint32_t processor) {
    switch (event.kind) {
      case TraceKind::kStart: start(event.goroutine, processor); break;
      case TraceKind::kProcessorStart:
        stop(processor);
        be_driven(processor, event.argument);
        break;
      case TraceKind::kProcessorStop:
        be_driven(processor);
        stop(processor);
        break;
      case TraceKind::kBlock:
      case TraceKind::kYield:
      case TraceKind::kPreempt:
      case TraceKind::kEnd:
      case TraceKind::kBlockingBegin:
        if (start(event.goroutine, processor)) apply_leave(event, processor);
        break;
      default: apply_outside(event); break;
    }
  }

  void apply_leave(const Event& event, std::uint32_t processor) {
    if (processors_[processor].span != TraceKind::kNone) {  // cut short; its goroutine is back
      vacate(processor);
      start(event.goroutine, processor);
    }
    switch (event.kind) {
      case TraceKind::kYield: return leave(processor, GoEvent::kGoSched, State::kRunnable, {});
      case TraceKind::kPreempt: return leave(processor, GoEvent::kGoPreempt, State::kRunnable, {});
      case TraceKind::kEnd: return leave(processor, GoEvent::kGoEnd, State::kEnded, {});
      case TraceKind::kBlockingBegin:
        write(processor, GoEvent::kGoSysCall, {stack_of(goroutines_[event.goroutine], "blocking call")});
        return leave(processor, GoEvent::kGoSysBlock, State::kInBlocking, {});
      default: break;
    }
    const auto* const text = reinterpret_cast<const char*>(event.argument);
    const std::string_view reason = text == nullptr ? "waiting" : text;
    leave(processor, block_event(reason), State::kWaiting, reason);
  }

  /// What needs no processor; it may have happened on one.
  void apply_outside(const Event& event) {
    const std::uint64_t processor = number_of(event.processor);
    switch (event.kind) {
      case TraceKind::kCreate: create(event); break;
      case TraceKind::kUnblock:
        if (goroutines_[event.goroutine].state == State::kAbsent) open_goroutine(event.goroutine, State::kWaiting);
        if (goroutines_[event.goroutine].state == State::kWaiting) wake(event.goroutine, event.processor);
        break;
      case TraceKind::kBlockingEnd:
        if (goroutines_[event.goroutine].state == State::kAbsent) open_goroutine(event.goroutine, State::kInBlocking);
        if (goroutines_[event.goroutine].state == State::kInBlocking) end_blocking(event.goroutine, event.processor);
        break;
      case TraceKind::kCycleBegin: begin_cycle(); break;
      case TraceKind::kCycleEnd: end_cycle(); break;
      case TraceKind::kStopBegin: begin_stop(); break;
      case TraceKind::kStopEnd: end_stop(); break;
      case TraceKind::kHeapBytes: write(processor, GoEvent::kHeapAlloc, {event.argument}); break;
      case TraceKind::kHeapGoal:
        if (event.argument < kUnlimited) write(processor, GoEvent::kHeapGoal, {event.argument});
        break;
      default: break;
    }
  }

  void create(const Event& event) {
    TracedGoroutine& goroutine = goroutines_[event.goroutine];
    if (goroutine.state != State::kAbsent) return;
    write(number_of(event.processor), GoEvent::kGoCreate,
          {event.goroutine, stack_of(goroutine), stack_on(event.processor)});
    goroutine.sequence = 1;
    goroutine.state = State::kRunnable;
  }

  const Recording& recording_;
  Timeline timeline_;
  GoTraceFormat format_;
  std::unordered_map<std::uint64_t, TracedGoroutine> goroutines_;
  std::vector<TracedProcessor> processors_;
  std::unordered_map<std::uint64_t, const Event*> first_events_;
  std::unordered_set<std::uint64_t> later_;
  std::uint64_t last_id_ = 0;  // the collector's goroutines have the ids after it
  std::size_t current_ = 0;    // the event that is played
  std::uint64_t now_ = 1;      // ns since the trace began, from 1 on
  bool opening_ = false;
  std::uint64_t cycles_ = 0;
  bool in_cycle_ = false;
  bool stopped_ = false, any_stop_ = false;
};

}  // namespace

std::string go_trace(const Recording& recording) { return Player(recording).play(); }

}  // namespace tandem::boot
