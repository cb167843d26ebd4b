#include "sched/switch.h"

#include "runtime/base/assert.h"
#include "runtime/seam/registry.h"
#include "sched/shared.h"
#include "sched/spawn.h"

namespace tandem::sched {

namespace {

/// The next goroutine for a direct switch, its state running; null: the scheduler loop has to decide.
Goroutine* take_direct(Processor& here) {
  ProcessorState& mine = *here.sched;
  if (--mine.turns_left < 0 || seam::requests_pending(here)) return nullptr;  // S3
  Goroutine* next = mine.queue.take_next();
  if (next == nullptr) {
    next = mine.queue.pop();
    if (next == nullptr) return nullptr;
    mine.slices.add();
  }
  if (!seam::take_to_run(*next, here)) [[unlikely]] {  // being scanned: its turn comes again
    push_local(*next, here);
    return nullptr;
  }
  // S4. At once: a goroutine that is taken but unscanned must not be left lying while this processor does anything else, for
  // the collector's walk over all goroutines waits for its scan.
  if (seam::needs_scan(*next, here)) [[unlikely]]
    seam::registry.collector->scan(*next, here);
  if (next->context.sp == nullptr) prepare_first_run(*next, here);
  return next;
}

[[gnu::always_inline]] inline void publish_parked(Worker& worker, const AfterSwitch& after) {
  Goroutine& goroutine = *after.goroutine;
  // First commit, then `waiting`: whoever finds the goroutine through what commit published, or cancels it,
  // waits in ready() for the state, so that the goroutine's frames stay where they are until commit has
  // returned.
  const bool parked = after.commit == nullptr || after.commit(goroutine, after.argument);
  // Release: pairs with the acquire of whoever claims the stack, or wakes it: context and frames are
  // complete. A plain store: a running goroutine cannot be claimed.
  goroutine.state.store(seam::kWaiting, std::memory_order_release);
  if (parked) return;
  // Not to be parked after all. Its ticket may have been claimed meanwhile (cancellation): then that one
  // makes it ready.
  if (claim(goroutine, goroutine.ticket.load(std::memory_order_relaxed)))
    ready(goroutine, *worker.processor.load(std::memory_order_relaxed));
}

[[gnu::noinline]] void finish_rare(Worker& worker, const AfterSwitch& after) {
  if (after.how == Leaving::kEnd) return retire(*after.goroutine, *worker.processor.load(std::memory_order_relaxed));
  after.goroutine->state.store(seam::kRunnable, std::memory_order_release);
  shared->injection.push(*after.goroutine);
  // After the push: until then it is what says that not everybody is asleep.
  if (after.how == Leaving::kUnattached) worker.in_blocking.store(false, std::memory_order_release);
  wake_for_work();
}

[[gnu::always_inline]] inline void finish(Worker& worker) {
  const AfterSwitch after = worker.after;
  if (after.goroutine == nullptr) return;
  worker.after.goroutine = nullptr;
  if (after.how == Leaving::kPark) {
    publish_parked(worker, after);
  } else if (after.how == Leaving::kYield) {
    after.goroutine->state.store(seam::kRunnable, std::memory_order_release);
    push_local(*after.goroutine, *worker.processor.load(std::memory_order_relaxed));
    wake_for_work_relaxed();
  } else {
    finish_rare(worker, after);
  }
}

/// From the running goroutine to `next`, or to the scheduler loop when that is null.
[[gnu::always_inline]] inline void switch_to(Goroutine& self, Processor& here, Goroutine* next, bool dying) {
  Worker& worker = *here.worker;
  context::save(self.cxx, worker.cxx);
  here.running = next;
  if (next != nullptr) {
    next->processor = &here;
    here.sched->switches.add();
    context::restore(next->cxx, worker.cxx);
    context::before_switch(self.sanitizer_fiber, next->sanitizer_fiber, dying);
    context::switch_context(self.context, next->context);
  } else {
    context::before_switch(self.sanitizer_fiber, worker.fiber, dying);
    context::switch_context(self.context, worker.scheduler_context);
  }
  context::after_switch(self.sanitizer_fiber);
  finish(*processor_of(self).worker);  // S2
}

}  // namespace

// Cold, and not inlined: the array would stand on every goroutine's stack.
[[gnu::noinline]] void push_overflowing(Goroutine& goroutine, Processor& here) {
  RunQueue& queue = here.sched->queue;
  do {
    Goroutine* moved[RunQueue::kSlots / 2];
    const std::uint32_t count = queue.take_half(moved);
    if (count > 0) shared->injection.push_batch(moved, count);
  } while (!queue.push(goroutine));
}

[[gnu::noinline]] void leave(Goroutine& self, Leaving how, CommitFunction commit, void* argument) {
  Processor& here = processor_of(self);
  TANDEM_ASSERT(here.running == &self);
  here.worker->after = {&self, how, commit, argument};
  Goroutine* const next = take_direct(here);
  switch_to(self, here, next, how == Leaving::kEnd);
}

[[gnu::noinline]] void leave_to_loop(Goroutine& self, Leaving how) {
  Processor& here = processor_of(self);
  here.worker->after = {&self, how, nullptr, nullptr};
  switch_to(self, here, nullptr, false);
}

[[gnu::noinline]] void leave_if_others(Goroutine& self) {
  Processor& here = processor_of(self);
  Goroutine* const next = take_direct(here);
  const ProcessorState& mine = *here.sched;
  if (next == nullptr && mine.turns_left >= 0 && mine.queue.ring_empty() && !seam::requests_pending(here) &&
      shared->injection.empty())
    return;
  here.worker->after = {&self, Leaving::kYield, nullptr, nullptr};
  switch_to(self, here, next, false);
}

[[gnu::noinline]] void resume_from_loop(Worker& worker, Goroutine& next) {
  Processor& here = *worker.processor.load(std::memory_order_relaxed);
  here.running = &next;
  next.processor = &here;
  here.sched->switches.add();
  context::restore(next.cxx, worker.cxx);
  context::before_switch(worker.fiber, next.sanitizer_fiber, false);
  context::switch_context(worker.scheduler_context, next.context);
  context::after_switch(worker.fiber);
  // Exceptions that the goroutine is handling are none of the loop's.
  context::restore(context::CxxState{}, worker.cxx);
  finish(worker);
}

void finish_switch(Worker& worker) { finish(worker); }

}  // namespace tandem::sched
