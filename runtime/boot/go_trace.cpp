#include "runtime/boot/go_trace.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "runtime/boot/go_trace_stage.h"
#include "runtime/boot/go_trace_words.h"

namespace tandem::boot {

namespace {

constexpr std::uint64_t kUnlimited = std::uint64_t{1} << 62;  // a heap goal from here on is none

class Player : private TraceStage {
 public:
  explicit Player(const Recording& recording)
      : TraceStage(Timeline(recording), recording.processors), recording_(recording) {}

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
      with_events_.insert(event.goroutine);
    }
    for (const Recording::LiveGoroutine& live : recording_.goroutines) last_id_ = std::max(last_id_, live.id);
    opening_ = true;
    std::vector<std::uint64_t> running = timeline_.running_at_begin(recording_.processors);
    for (const Recording::LiveGoroutine& live : recording_.goroutines)
      if (!created_later(live.id) && !with_events_.contains(live.id)) open_silent(live, running);
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
  std::unordered_set<std::uint64_t> with_events_;  // goroutines
  std::unordered_set<std::uint64_t> later_;
};

}  // namespace

std::string go_trace(const Recording& recording) { return Player(recording).play(); }

}  // namespace tandem::boot
