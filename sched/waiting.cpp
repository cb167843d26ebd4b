#include "sched/waiting.h"

#include <sched.h>

#include "runtime/base/assert.h"
#include "runtime/base/spin_lock.h"
#include "sched/direct_switch.h"

namespace tandem::detail {

constinit std::atomic<bool> goroutines_in_parallel{true};

void spin_lock_slow(std::atomic<bool>& locked) noexcept {
  constexpr int kSpinsBeforeYield = 100;  // 100 pauses are 1-4 us: longer than any section that is held
  for (;;) {
    for (int spin = 0; spin < kSpinsBeforeYield; ++spin) {
      // Acquire: pairs with the release in SpinLock::unlock.
      if (!locked.load(std::memory_order_relaxed) && !locked.exchange(true, std::memory_order_acquire)) return;
      base::cpu_relax();
    }
    ::sched_yield();
  }
}

}  // namespace tandem::detail

namespace tandem::sched {

bool keep_ticket_of_cancelled(Goroutine& self, std::uint64_t ticket) {
  if (!cancellation_due(self)) return true;
  // The canceller may have claimed the ticket: then it is about to wake us, and we have to wait for that.
  return !claim(self, ticket);
}

[[gnu::noinline]] WakeReason park_unlocking(Goroutine& self, const char* reason, const void* object,
                                            detail::SpinLock& lock) {
  return park_unlocking_inline(self, reason, object, lock);
}

[[gnu::noinline]] WakeReason park_for_first_run(Goroutine& self, Goroutine& next, Processor& here,
                                                detail::SpinLock& lock) {
  lock.unlock();
  prepare_first_run(next, here);
  Commit nothing{nullptr, nullptr};
  switch_to(self, here, &next, Leaving::kParkCommit, &nothing);
  return take_wake_reason(self);
}

void wake_all(detail::WaitQueue& woken, Processor& here) {
  // A single one is usually waited for by the caller next; many go to the queue in order.
  const bool next_slot = woken.first == woken.last;
  for (detail::Waiter* waiter = woken.first; waiter != nullptr;) {
    detail::Waiter* const next = waiter->next;
    ready(*static_cast<Goroutine*>(waiter->goroutine), here, next_slot);
    waiter = next;
  }
}

void WaitTimer::fired(TimerNode& node, Processor& here) {
  auto& timer = static_cast<WaitTimer&>(node);
  if (!claim(*timer.goroutine_, timer.ticket_)) return;
  timer.goroutine_->wake_reason.store(WakeReason::kTimeout,
                                      std::memory_order_relaxed);  // published by ready()
  ready(*timer.goroutine_, here);
}

namespace {
struct TimedPark {
  WaitTimer timer;
  detail::SpinLock* lock;
  detail::SpinLock committing;  // held until commit has done with this record
};

bool commit_timed(Goroutine& parked, void* argument) {
  auto& timed = *static_cast<TimedPark*>(argument);
  timed.timer.start(processor_of(parked));
  timed.lock->unlock();
  timed.committing.unlock();
  return true;
}
}  // namespace

WakeReason park_until_deadline(Goroutine& self, const char* reason, const void* object, detail::SpinLock& lock,
                               std::uint64_t ticket, std::uint64_t deadline_ns) {
  if (deadline_ns == kNoDeadline) return park_unlocking(self, reason, object, lock);
  TimedPark timed;
  timed.lock = &lock;
  timed.timer.set(self, ticket, deadline_ns);
  timed.committing.lock();
  const WakeReason woken = park(self, reason, object, &commit_timed, &timed);
  timed.committing.lock();
  timed.timer.cancel();
  return woken;
}

void misuse(const char* what, const char* type, const void* object) {
  const Goroutine* self = seam::current_goroutine();
  if (self == nullptr) base::fatal("%s (%s %p, on a thread that runs no goroutine)", what, type, object);
  base::fatal("%s (%s %p, goroutine %llu)", what, type, object, static_cast<unsigned long long>(self->id));
}

}  // namespace tandem::sched
