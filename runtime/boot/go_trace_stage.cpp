#include "runtime/boot/go_trace_stage.h"

#include <utility>

#include "runtime/boot/go_trace_words.h"

namespace tandem::boot {

// -- Writing.

void TraceStage::write(std::uint64_t processor, GoEvent type, std::initializer_list<std::uint64_t> arguments) {
  format_.event(processor, type, opening_ ? 0 : now_++, arguments);
}

void TraceStage::write_opening(GoEvent type, std::initializer_list<std::uint64_t> arguments) {
  format_.event(kNoProcessor, type, 0, arguments);
}

std::uint64_t TraceStage::number_of(std::uint32_t processor) {
  return processor == Recording::kOutside ? kNetworkProcessor : processor;
}

std::uint64_t TraceStage::label_of(TracedGoroutine& goroutine) {
  if (goroutine.label == 0) goroutine.label = format_.text("goroutine");
  return goroutine.label;
}

std::uint64_t TraceStage::stack_of(TracedGoroutine& goroutine) { return format_.stack({label_of(goroutine)}); }

std::uint64_t TraceStage::stack_of(TracedGoroutine& goroutine, std::string_view innermost) {
  return format_.stack({format_.text(innermost), label_of(goroutine)});
}

std::uint64_t TraceStage::stack_on(std::uint32_t processor) {
  const std::uint64_t running = processor == Recording::kOutside ? 0 : processors_[processor].running;
  return running == 0 ? 0 : stack_of(goroutines_[running]);
}

// -- Goroutines.

void TraceStage::open_goroutine(std::uint64_t id, State state) {
  TracedGoroutine& goroutine = goroutines_[id];
  write_opening(GoEvent::kGoCreate, {id, stack_of(goroutine), 0});
  goroutine.sequence = 1;
  goroutine.state = state;
  if (state == State::kRunnable) return;
  write_opening(state == State::kInBlocking ? GoEvent::kGoInSyscall : GoEvent::kGoWaiting, {id});
  ++goroutine.sequence;
}

const TraceStage::Event* TraceStage::take_ahead(TraceKind kind) {
  if (current_ >= timeline_.events().size()) return nullptr;
  const std::size_t next = timeline_.events()[current_].next;
  if (next == Timeline::kNone || timeline_.events()[next].kind != kind) return nullptr;
  timeline_.events()[next].taken = true;
  return &timeline_.events()[next];
}

void TraceStage::wake(std::uint64_t id, std::uint32_t processor) {
  TracedGoroutine& goroutine = goroutines_[id];
  write(number_of(processor), GoEvent::kGoUnblock, {id, goroutine.sequence++, stack_on(processor)});
  goroutine.state = State::kRunnable;
}

void TraceStage::end_blocking(std::uint64_t id, std::uint32_t processor) {
  TracedGoroutine& goroutine = goroutines_[id];
  write(number_of(processor), GoEvent::kGoSysExit, {id, goroutine.sequence++, 0});
  goroutine.state = State::kRunnable;
}

bool TraceStage::make_runnable(std::uint64_t id) {
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

bool TraceStage::start(std::uint64_t id, std::uint32_t processor) {
  TracedGoroutine& goroutine = goroutines_[id];
  if (goroutine.state == State::kRunning && goroutine.processor == processor && processors_[processor].running == id)
    return true;
  if (!make_runnable(id)) return false;
  vacate(processor);
  resume(id, processor);
  return true;
}

void TraceStage::resume(std::uint64_t id, std::uint32_t processor) {
  TracedGoroutine& goroutine = goroutines_[id];
  be_driven(processor);
  write(processor, GoEvent::kGoStart, {id, goroutine.sequence++});
  goroutine.state = State::kRunning;
  goroutine.processor = processor;
  processors_[processor].running = id;
}

void TraceStage::leave(std::uint32_t processor, GoEvent how, State state, std::string_view innermost) {
  TracedGoroutine& goroutine = goroutines_[processors_[processor].running];
  if (how == GoEvent::kGoEnd || how == GoEvent::kGoSysBlock)
    write(processor, how);
  else
    write(processor, how, {innermost.empty() ? stack_of(goroutine) : stack_of(goroutine, innermost)});
  goroutine.state = state;
  processors_[processor].running = 0;
}

void TraceStage::vacate(std::uint32_t processor) {
  TracedProcessor& mine = processors_[processor];
  if (mine.span != TraceKind::kNone) end_span(processor, false);
  if (mine.running != 0) leave(processor, GoEvent::kGoPreempt, State::kRunnable, {});
}

// -- Processors.

void TraceStage::be_driven(std::uint32_t processor, std::uint64_t worker) {
  TracedProcessor& mine = processors_[processor];
  if (!mine.driven) write(processor, GoEvent::kProcStart, {worker});
  mine.driven = true;
}

void TraceStage::stop(std::uint32_t processor) {
  vacate(processor);
  if (processors_[processor].driven) write(processor, GoEvent::kProcStop);
  processors_[processor].driven = false;
}

// -- Collector work.

bool TraceStage::has_own_events(TraceKind kind, bool on_goroutine) {
  return on_goroutine && (kind == TraceKind::kMarkAssist || kind == TraceKind::kSweep);
}

void TraceStage::begin_span(const Event& event) {
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
    write(event.processor, assist ? GoEvent::kGCMarkAssistStart : GoEvent::kGCSweepStart, {stack_on(event.processor)});
    return;
  }
  if (mine.running != 0) {
    mine.interrupted = mine.running;
    leave(event.processor, GoEvent::kGoPreempt, State::kRunnable, "collector work");
  }
  start_collector(event.processor, work_label(event.kind));
}

void TraceStage::start_collector(std::uint32_t processor, std::string_view label) {
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

void TraceStage::end_span(std::uint32_t processor, bool resumes) {
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
  if (resumes && interrupted != 0 && goroutines_[interrupted].state == State::kRunnable) resume(interrupted, processor);
}

// -- The collector as a whole. Its begin may lie before the trace's.

void TraceStage::begin_cycle() {
  if (in_cycle_) write(kCollectorProcessor, GoEvent::kGCDone);
  write(kCollectorProcessor, GoEvent::kGCStart, {cycles_++, 0});
  in_cycle_ = true;
}

void TraceStage::end_cycle() {
  if (!in_cycle_ && cycles_ == 0)
    write_opening(GoEvent::kGCStart, {cycles_++, 0});
  else if (!in_cycle_)
    return;
  write(kCollectorProcessor, GoEvent::kGCDone);
  in_cycle_ = false;
}

void TraceStage::begin_stop() {
  if (!stopped_) write(kCollectorProcessor, GoEvent::kGCSTWStart, {std::uint64_t{in_cycle_ ? 0U : 1U}});
  stopped_ = any_stop_ = true;
}

void TraceStage::end_stop() {
  if (!stopped_ && any_stop_) return;
  if (!stopped_) write_opening(GoEvent::kGCSTWStart, {1});
  write(kCollectorProcessor, GoEvent::kGCSTWDone);
  stopped_ = false;
  any_stop_ = true;
}

}  // namespace tandem::boot
