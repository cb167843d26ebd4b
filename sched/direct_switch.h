#pragma once
// The switch from one goroutine to the next, inline: for the few functions in which goroutines park most. Others call
// leave() or park(). The rules are in switch.h.

#include "runtime/context/context.h"
#include "runtime/context/cxx_state.h"
#include "runtime/seam/in_blocking.h"
#include "runtime/seam/phase.h"
#include "runtime/seam/safepoint.h"
#include "runtime/seam/scan_claim.h"
#include "runtime/seam/trace.h"
#include "sched/idle.h"
#include "sched/switch.h"
#include "tandem/detail/spin_lock.h"

namespace tandem::sched {

/// As the hot part of take_direct, when stacks can be claimed. False: it is being scanned, and its turn comes again.
bool take_claimable(Goroutine& next, Processor& here);

/// What is not on the path of most parks.
void finish_rare(const context::Message& left, Processor& here);

/// Acts on what the context before this one left behind (S1). `Likely`: what that probably is.
template <Leaving Likely = Leaving::kParkUnlock>
[[gnu::always_inline]] inline void finish_switch(const context::Message& left, Processor& here) {
  if (reinterpret_cast<std::uintptr_t>(left.action) != static_cast<std::uintptr_t>(Likely)) [[unlikely]]
    return finish_rare(left, here);
  auto& goroutine = *static_cast<Goroutine*>(left.subject);
  // Release: pairs with the acquire of whoever claims the stack, or wakes it: context and frames are
  // complete. Plain stores: a running goroutine cannot be claimed.
  if constexpr (Likely == Leaving::kParkUnlock) {
    // First the unlock, then `waiting`: whoever finds the goroutine through what it published, or cancels it, waits in
    // ready() for the state.
    static_cast<detail::SpinLock*>(left.argument)->unlock();
    goroutine.state.store(seam::kWaiting, std::memory_order_release);
  } else {
    static_assert(Likely == Leaving::kYield);
    goroutine.state.store(seam::kRunnable, std::memory_order_release);
    push_local(goroutine, here);
    if (here.sched->queue.has_thieves()) wake_for_work_relaxed();
  }
}

/// A round of turns is over. True: and nothing waits that only the scheduler loop would look at; the next round begins.
bool begin_round(Processor& here);

/// The next goroutine for a direct switch, its state running; null: the scheduler loop has to decide. It may have no stack
/// yet.
[[gnu::always_inline]] inline Goroutine* take_direct_unprepared(Processor& here) {
  ProcessorState& mine = *here.sched;
  if (seam::requests_pending(here)) [[unlikely]]
    return nullptr;  // S3
  if (--mine.turns_left < 0 && !begin_round(here)) [[unlikely]]
    return nullptr;
  Goroutine* next = mine.queue.take_next();
  if (next == nullptr) {
    next = mine.tasks.pop();
    if (next == nullptr) {
      next = mine.queue.pop();
      if (next == nullptr) return nullptr;
      mine.slices.add();
    }
  }
  if (here.scan_mode == seam::ScanMode::kNone) [[likely]]
    next->state.store(seam::kRunning, std::memory_order_relaxed);
  else if (!take_claimable(*next, here))
    return nullptr;
  return next;
}

/// The same, ready to be switched to.
[[gnu::always_inline]] inline Goroutine* take_direct(Processor& here) {
  Goroutine* const next = take_direct_unprepared(here);
  if (next != nullptr && next->context.sp == nullptr) prepare_first_run(*next, here);
  return next;
}

/// Records that the running goroutine leaves, and who comes next on its processor.
[[gnu::cold, gnu::noinline]] void trace_switch(const Goroutine& self, const Goroutine* next, Processor& here,
                                               Leaving how);

/// From the running goroutine to `next`, or to the scheduler loop when that is null. `Likely`: as for finish_switch.
template <Leaving Likely = Leaving::kParkUnlock>
[[gnu::always_inline]] inline void switch_to(Goroutine& self, Processor& here, Goroutine* next, Leaving how,
                                             void* argument) {
  Worker& worker = *here.worker;
  const context::CxxKeeper kept(worker.cxx);
  const context::Context* to = &worker.scheduler_context;
  here.running = next;
  if (here.trace != nullptr) [[unlikely]]
    trace_switch(self, next, here, how);
  if (next != nullptr) {
    next->processor = &here;
    here.sched->switches.add();
    to = &next->context;
    context::before_switch(self.sanitizer_fiber, next->sanitizer_fiber, how == Leaving::kEnd);
  } else {
    context::before_switch(self.sanitizer_fiber, worker.fiber, how == Leaving::kEnd);
  }
  const context::Message left =
      context::switch_context(self.context, *to, {&self, reinterpret_cast<void*>(how), argument});
  context::after_switch(self.sanitizer_fiber);
  Processor& now = processor_of(self);  // S2
  finish_switch<Likely>(left, now);
  kept.give_back(now.worker->cxx);
}

/// Says what the running goroutine is going to wait for, for dumps. Every park begins with it: so it is here that one inside
/// the f of blocking(f) is found out.
[[gnu::always_inline]] inline void announce_wait(Goroutine& self, const char* reason, const void* object) {
  seam::refuse_in_blocking(self, reason);
  self.wait_reason = reason;
  self.wait_object = object;
  self.wait_since_ns = seam::coarse_now_ns.load(std::memory_order_relaxed);
}

/// Puts a runnable goroutine at the end of the processor's queue and wakes a worker if one idles.
void push_and_wake(Goroutine& goroutine, Processor& here);
/// Returns when a goroutine whose ticket is claimed has left its stack.
void await_parked(Goroutine& goroutine);

/// The rest of ready_inline, and all there is to do for a goroutine that is new: waiting -> runnable, into the next slot.
[[gnu::always_inline]] inline void enqueue_next(Goroutine& goroutine, Processor& here) {
  ProcessorState& mine = *here.sched;
  mine.wakeups.add();
  if (!seam::make_runnable(goroutine, here)) [[unlikely]]
    return;  // being scanned: its scanner enqueues it
  Goroutine* const displaced = mine.queue.exchange_next(&goroutine);
  if (displaced != nullptr) [[unlikely]]
    push_and_wake(*displaced, here);
}

/// ready(), inline, into the next slot.
[[gnu::always_inline]] inline void ready_inline(Goroutine& goroutine, Processor& here) {
  // Acquire: pairs with the release of finish_switch.
  if ((goroutine.state.load(std::memory_order_acquire) & seam::kStateMask) != seam::kWaiting) [[unlikely]]
    await_parked(goroutine);
  seam::trace(here, seam::TraceKind::kUnblock, goroutine.id);
  enqueue_next(goroutine, here);
}

/// The rest of park_unlocking_inline for a `next` that never ran. Its first steps may fault pages in, for microseconds, so the
/// lock is given up before: whoever finds the parking goroutine waits in ready() until it has left its stack.
WakeReason park_for_first_run(Goroutine& self, Goroutine& next, Processor& here, detail::SpinLock& lock);

/// park_unlocking (waiting.h), inline.
[[gnu::always_inline]] inline WakeReason park_unlocking_inline(Goroutine& self, const char* reason, const void* object,
                                                               detail::SpinLock& lock) {
  seam::check_holds_no_lock(self, reason);
  announce_wait(self, reason, object);
  Processor& here = processor_of(self);
  here.sched->parks.add();
  Goroutine* const next = take_direct_unprepared(here);
  if (next != nullptr && next->context.sp == nullptr) [[unlikely]]
    return park_for_first_run(self, *next, here, lock);
  switch_to(self, here, next, Leaving::kParkUnlock, &lock);
  return take_wake_reason(self);
}

}  // namespace tandem::sched
