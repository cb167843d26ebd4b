#include "sched/park.h"

#include <sched.h>

#include "runtime/base/assert.h"
#include "sched/direct_switch.h"
#include "sched/shared.h"

namespace tandem::sched {

void fatal_no_goroutine(const char* operation) {
  base::fatal("%s was called on a thread that runs no goroutine: call it inside tandem::run, on a goroutine",
              operation);
}

namespace {

[[gnu::always_inline]] inline WakeReason park_inline(Goroutine& self, const char* reason, const void* object,
                                                     CommitFunction commit, void* argument) {
  announce_wait(self, reason, object);
  processor_of(self).sched->parks.add();
  Commit what{commit, argument};
  leave(self, Leaving::kParkCommit, &what);
  return take_wake_reason(self);
}

}  // namespace

[[gnu::noinline]] WakeReason park(Goroutine& self, const char* reason, const void* object, CommitFunction commit,
                                  void* argument) {
  seam::check_holds_no_lock(self, reason);
  return park_inline(self, reason, object, commit, argument);
}

[[gnu::noinline]] WakeReason park_within_call(Goroutine& self, const char* reason, const void* object,
                                              CommitFunction commit, void* argument) {
  return park_inline(self, reason, object, commit, argument);
}

WakeReason park_and_unlock(Goroutine& self, const char* reason, const void* object, base::SpinLock& lock) {
  return park(
      self, reason, object,
      [](Goroutine&, void* argument) {
        static_cast<base::SpinLock*>(argument)->unlock();
        return true;
      },
      &lock);
}

/// A waker that needs no lock (cancellation, a timer) may have claimed a goroutine that is still on its way off its stack.
/// It is there within nanoseconds, unless the kernel took its thread's CPU away.
[[gnu::noinline]] void await_parked(Goroutine& goroutine) {
  constexpr int kSpinsBeforeYield = 100;
  for (int spin = 1; (goroutine.state.load(std::memory_order_acquire) & seam::kStateMask) != seam::kWaiting; ++spin) {
    base::cpu_relax();
    if (spin % kSpinsBeforeYield == 0) ::sched_yield();
  }
}

[[gnu::noinline]] void push_and_wake(Goroutine& goroutine, Processor& here) {
  push_local(goroutine, here);
  if (here.sched->queue.has_thieves()) wake_for_work();
}

void ready(Goroutine& goroutine, Processor& here, bool next_slot) {
  if (next_slot) return ready_inline(goroutine, here);
  if ((goroutine.state.load(std::memory_order_acquire) & seam::kStateMask) != seam::kWaiting) [[unlikely]]
    await_parked(goroutine);
  seam::trace(here, seam::TraceKind::kUnblock, goroutine.id);
  here.sched->wakeups.add();
  if (seam::make_runnable(goroutine, here)) push_and_wake(goroutine, here);
}

}  // namespace tandem::sched
