// ConditionVariable. A waiter is queued before its lock is given up, and parks later. Until it has, a
// notification is a note in the waiter, under our spin lock; afterwards it is a wake-up, for which the ticket
// is claimed.

#include "runtime/base/clock.h"
#include "sched/channel_operations.h"
#include "sched/waiting.h"
#include "tandem/sync.h"

namespace tandem {

using namespace sched;

namespace {
enum WaiterStage : std::uint32_t { kAnnounced, kParked };  // Waiter::tag
}

void ConditionVariable::enqueue(Waiter& waiter) {
  waiter.goroutine = &running_goroutine("ConditionVariable::wait");
  waiter.tag = kAnnounced;
  waiter.success = false;
  lock_.lock();
  waiters_.push_back(waiter);
  lock_.unlock();
}

ConditionVariable::Outcome ConditionVariable::wait_for_notification(Waiter& waiter, std::uint64_t deadline_ns) {
  auto& self = *static_cast<Goroutine*>(waiter.goroutine);
  lock_.lock();
  if (!waiter.queued) {  // notified already
    lock_.unlock();
    return Outcome::kNotified;
  }
  if (!open_cancellable_ticket(self, waiter.ticket)) {
    waiters_.remove(waiter);
    lock_.unlock();
    return Outcome::kCancelled;
  }
  waiter.tag = kParked;
  const WakeReason reason = park_until_deadline(self, "condition variable", this, lock_, waiter.ticket, deadline_ns);
  if (reason == WakeReason::kReady) return Outcome::kNotified;  // *this may be gone
  lock_.lock();
  if (waiter.queued) waiters_.remove(waiter);
  lock_.unlock();
  if (reason == WakeReason::kTimeout) return Outcome::kTimeout;
  return cancellation_due(self) ? Outcome::kCancelled : Outcome::kNotified;  // the latter: for nothing
}

/// With the lock held: notifies the first waiter that still can be. Returns it if it must be made ready.
Waiter* ConditionVariable::notify_first() {
  while (Waiter* waiter = waiters_.first) {
    waiters_.remove(*waiter);
    waiter->success = true;
    if (waiter->tag == kAnnounced || claim(goroutine_of(*waiter), waiter->ticket)) return waiter;
    waiter->success = false;
  }
  return nullptr;
}

void ConditionVariable::notify_one() {
  WaitQueue woken;
  lock_.lock();
  if (Waiter* waiter = notify_first())
    if (waiter->tag == kParked) woken.push_back(*waiter);
  lock_.unlock();
  if (!woken.empty()) wake_all(woken, processor_of(running_goroutine("ConditionVariable::notify_one")));
}

void ConditionVariable::notify_all() {
  WaitQueue woken;
  lock_.lock();
  while (Waiter* waiter = notify_first())
    if (waiter->tag == kParked) woken.push_back(*waiter);
  lock_.unlock();
  if (!woken.empty()) wake_all(woken, processor_of(running_goroutine("ConditionVariable::notify_all")));
}

void ConditionVariable::throw_cancelled() { sched::throw_cancelled(); }

}  // namespace tandem

namespace tandem::detail {
std::uint64_t runtime_now_ns() noexcept { return base::now_ns(); }
}  // namespace tandem::detail
