#include "sched/channel_operations.h"
#include "sched/waiting.h"
#include "tandem/sync.h"

namespace tandem {

using namespace sched;

void Semaphore::acquire_slow() {
  Goroutine& self = running_goroutine("Semaphore::acquire");
  for (;;) {
    if (permits_ > 0) {
      --permits_;
      return lock_.unlock();
    }
    Waiter waiter;
    waiter.goroutine = &self;
    if (!open_cancellable_ticket(self, waiter.ticket)) {
      lock_.unlock();
      throw_cancelled();
    }
    waiters_.push_back(waiter);
    // Ready: a permit was handed over, and *this may be gone.
    if (park_unlocking(self, "semaphore acquire", this, lock_) == WakeReason::kReady) return;
    lock_.lock();
    if (waiter.queued) waiters_.remove(waiter);
    if (!cancellation_due(self)) continue;
    lock_.unlock();
    throw_cancelled();
  }
}

void Semaphore::release_slow(std::int64_t count) {
  if (count < 0) misused("release of a negative number of permits");
  WaitQueue woken;
  for (; count > 0; --count) {
    Waiter* const waiter = claim_first(waiters_);
    if (waiter == nullptr) break;
    woken.push_back(*waiter);
  }
  permits_ += count;
  lock_.unlock();
  if (!woken.empty()) wake_all(woken, processor_of(running_goroutine("Semaphore::release")));
}

void Semaphore::misused(const char* what) const { misuse(what, "Semaphore", this); }

bool Barrier::arrive_and_wait() {
  Goroutine& self = running_goroutine("Barrier::arrive_and_wait");
  for (;;) {
    lock_.lock();
    if (++arrived_ == parties_) {
      arrived_ = 0;
      WaitQueue woken;
      while (Waiter* waiter = claim_first(waiters_)) woken.push_back(*waiter);
      lock_.unlock();
      wake_all(woken, processor_of(self));
      return true;
    }
    Waiter waiter;
    waiter.goroutine = &self;
    if (!open_cancellable_ticket(self, waiter.ticket)) {
      --arrived_;
      lock_.unlock();
      throw_cancelled();
    }
    waiters_.push_back(waiter);
    if (park_unlocking(self, "barrier", this, lock_) == WakeReason::kReady) return false;
    lock_.lock();
    const bool completed = !waiter.queued;  // the last one has come, and found us cancelled
    if (!completed) {
      waiters_.remove(waiter);
      --arrived_;
    }
    lock_.unlock();
    if (cancellation_due(self)) throw_cancelled();
    if (completed) return false;
  }
}

void Barrier::misused(const char* what) const { misuse(what, "Barrier", this); }

}  // namespace tandem
