#include "sched/switch.h"

#include "runtime/base/assert.h"
#include "runtime/base/clock.h"
#include "runtime/seam/registry.h"
#include "sched/direct_switch.h"
#include "sched/shared.h"
#include "sched/spawn.h"

namespace tandem::sched {

[[gnu::noinline]] bool take_claimable(Goroutine& next, Processor& here) {
  if (waits_for_scan(next, here) || !seam::take_to_run(next, here)) {  // being scanned: its turn comes again
    push_local(next, here);
    return false;
  }
  // S4. At once: a goroutine that is taken but unscanned must not be left lying while this processor does anything else, for
  // the collector's walk over all goroutines waits for its scan.
  if (seam::needs_scan(next, here)) seam::registry.collector->scan(next, here);
  return true;
}

bool waits_for_scan(const Goroutine& goroutine, const Processor& here) {
  return seam::needs_scan(goroutine, here) && shared->roots_by_worker;
}

void trace_switch(const Goroutine& self, const Goroutine* next, Processor& here, Leaving how) {
  using seam::TraceKind;
  const std::uint64_t now = base::real_now_ns();
  const auto left = [&](TraceKind kind, std::uint64_t argument) { here.trace->add_at(now, kind, self.id, argument); };
  switch (how) {
    case Leaving::kNothing:
    case Leaving::kUnattached: break;
    case Leaving::kParkUnlock:
    case Leaving::kParkCommit: left(TraceKind::kBlock, reinterpret_cast<std::uint64_t>(self.wait_reason)); break;
    case Leaving::kYield: left(TraceKind::kYield, 0); break;
    case Leaving::kPreempt: left(TraceKind::kPreempt, 0); break;
    case Leaving::kEnd: left(TraceKind::kEnd, seam::trace_label(self)); break;
  }
  if (next != nullptr) here.trace->add_at(now, TraceKind::kStart, next->id, 0);
}

[[gnu::noinline]] bool begin_round(Processor& here) {
  ProcessorState& mine = *here.sched;
  const seam::PollerPort* const poller = seam::registry.poller;
  if (shared->zeal || (!mine.tasks.empty() && !mine.queue.ring_empty()) || !shared->injection.empty() ||
      mine.timers.next_ns_relaxed() != TimerWheel::kNever || (poller != nullptr && poller->waiters() != 0))
    return false;
  mine.forget_reached_marks();
  mine.turns_left = mine.turn_budget;
  return true;
}

namespace {

void publish_committed(Goroutine& goroutine, const Commit& commit, Processor& here) {
  // First commit, then `waiting`: whoever finds the goroutine through what commit published, or cancels it,
  // waits in ready() for the state, so that the goroutine's frames stay where they are until commit has
  // returned.
  const bool parked = commit.function == nullptr || commit.function(goroutine, commit.argument);
  // Release, and a plain store: as in finish_switch.
  goroutine.state.store(seam::kWaiting, std::memory_order_release);
  if (parked) return;
  // Not to be parked after all. Its ticket may have been claimed meanwhile (cancellation, a timer): then that one makes it
  // ready. A claimed ticket is odd, and claiming that would always succeed.
  const std::uint64_t ticket = goroutine.ticket.load(std::memory_order_relaxed);
  if (ticket % 2 == 0 && claim(goroutine, ticket)) ready(goroutine, here);
}

void finish_unattached(Worker& worker, Goroutine& goroutine) {
  goroutine.state.store(seam::kRunnable, std::memory_order_release);
  shared->injection.push(goroutine);
  // After the push: until then it is what says that not everybody is asleep.
  worker.in_blocking.store(false, std::memory_order_release);
  wake_for_work();
}

}  // namespace

[[gnu::noinline]] void finish_rare(const context::Message& left, Processor& here) {
  auto* const goroutine = static_cast<Goroutine*>(left.subject);
  switch (static_cast<Leaving>(reinterpret_cast<std::uintptr_t>(left.action))) {
    case Leaving::kNothing:
    case Leaving::kUnattached: return;
    case Leaving::kParkUnlock: return finish_switch<Leaving::kParkUnlock>(left, here);
    case Leaving::kParkCommit: return publish_committed(*goroutine, *static_cast<const Commit*>(left.argument), here);
    case Leaving::kYield: return finish_switch<Leaving::kYield>(left, here);
    case Leaving::kPreempt:
      goroutine->state.store(seam::kRunnable, std::memory_order_release);
      shared->injection.push(*goroutine);
      return wake_for_work();
    case Leaving::kEnd: return retire(*goroutine, here);
  }
}

// Cold, and not inlined: the array would stand on every goroutine's stack.
[[gnu::noinline]] void push_overflowing(Goroutine& goroutine, Processor& here) {
  RunQueue& queue = here.sched->queue;
  do {
    Goroutine* moved[RunQueue::kSlots / 2];
    const std::uint32_t count = queue.take_half(moved);
    if (count > 0) shared->injection.push_batch(moved, count);
  } while (!queue.push(goroutine));
}

[[gnu::noinline]] void leave(Goroutine& self, Leaving how, void* argument) {
  Processor& here = processor_of(self);
  TANDEM_ASSERT(here.running == &self);
  switch_to(self, here, take_direct(here), how, argument);
}

[[gnu::noinline]] void leave_to_loop(Goroutine& self, Leaving how) {
  switch_to(self, processor_of(self), nullptr, how, nullptr);
}

[[gnu::noinline]] void yield_now(Goroutine& self) {
  seam::refuse_in_blocking(self, "tandem::yield");
  Processor& here = processor_of(self);
  Goroutine* const next = take_direct(here);
  const ProcessorState& mine = *here.sched;
  if (next == nullptr && mine.turns_left >= 0 && !mine.has_queued() && !seam::requests_pending(here) &&
      shared->injection.empty())
    return;  // there is nothing else to run
  switch_to<Leaving::kYield>(self, here, next, Leaving::kYield, nullptr);
}

[[gnu::noinline]] void resume_from_loop(Worker& worker, Goroutine& next) {
  Processor& here = *worker.processor.load(std::memory_order_relaxed);
  here.running = &next;
  next.processor = &here;
  here.sched->switches.add();
  seam::trace(here, seam::TraceKind::kStart, next.id);
  context::before_switch(worker.fiber, next.sanitizer_fiber, false);
  const context::Message left = context::switch_context(worker.scheduler_context, next.context, {});
  context::after_switch(worker.fiber);
  if (reinterpret_cast<std::uintptr_t>(left.action) == static_cast<std::uintptr_t>(Leaving::kUnattached)) [[unlikely]]
    return finish_unattached(worker, *static_cast<Goroutine*>(left.subject));
  finish_switch(left, *worker.processor.load(std::memory_order_relaxed));
}

}  // namespace tandem::sched
