#include "sched/park.h"

#include <sched.h>

#include "runtime/base/assert.h"
#include "runtime/seam/phase.h"
#include "runtime/seam/scan_claim.h"
#include "sched/shared.h"
#include "sched/switch.h"

namespace tandem::sched {

Goroutine& running_goroutine(const char* operation) {
  Goroutine* goroutine = seam::current_goroutine();
  if (goroutine == nullptr) [[unlikely]]
    base::fatal("%s was called on a thread that runs no goroutine: call it inside tandem::run, on a goroutine",
                operation);
  return *goroutine;
}

WakeReason park(Goroutine& self, const char* reason, const void* object, CommitFunction commit, void* argument) {
  self.wait_reason = reason;
  self.wait_object = object;
  self.wait_since_ns = seam::coarse_now_ns.load(std::memory_order_relaxed);
  processor_of(self).sched->parks.add();
  leave(self, Leaving::kPark, commit, argument);
  return self.wake_reason.load(std::memory_order_relaxed);  // ordered by the state's release and acquire
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

namespace {

/// A waker that needs no lock (cancellation, a timer) may have claimed a goroutine that is still on its way off its stack.
/// It is there within nanoseconds, unless the kernel took its thread's CPU away.
[[gnu::noinline]] void await_parked(Goroutine& goroutine) {
  constexpr int kSpinsBeforeYield = 100;
  for (int spin = 1; (goroutine.state.load(std::memory_order_acquire) & seam::kStateMask) != seam::kWaiting; ++spin) {
    base::cpu_relax();
    if (spin % kSpinsBeforeYield == 0) ::sched_yield();
  }
}

}  // namespace

void ready(Goroutine& goroutine, Processor& here, bool next_slot) {
  // Acquire: pairs with the release of publish_parked.
  if ((goroutine.state.load(std::memory_order_acquire) & seam::kStateMask) != seam::kWaiting) [[unlikely]]
    await_parked(goroutine);
  here.sched->wakeups.add();
  if (!seam::make_runnable(goroutine, here)) return;  // being scanned: its scanner enqueues it
  if (next_slot) {
    Goroutine* const displaced = here.sched->queue.exchange_next(&goroutine);
    if (displaced == nullptr) return;
    push_local(*displaced, here);
  } else {
    push_local(goroutine, here);
  }
  wake_for_work();
}

void yield_now(Goroutine& self) { leave_if_others(self); }

}  // namespace tandem::sched
