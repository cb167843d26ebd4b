#include "tandem/wait_group.h"

#include "sched/channel_operations.h"
#include "sched/waiting.h"

namespace tandem {

using namespace sched;

void WaitGroup::changed_slow() {
  WaitQueue woken;
  if (counter_ < 0) [[unlikely]]
    misuse("negative WaitGroup counter: done() was called more often than add()", "WaitGroup", this);
  if (counter_ == 0)
    while (Waiter* waiter = claim_first(waiters_)) woken.push_back(*waiter);
  if (counter_ == 0 || tasks_ == 0)
    while (Waiter* waiter = claim_first(task_waiters_)) woken.push_back(*waiter);
  lock_.unlock();  // the last access: a waiter may destroy *this now
  if (!woken.empty()) wake_all(woken, processor_of(running_goroutine("WaitGroup::done")));
}

void WaitGroup::wait() {
  detail::poll_in_call();
  lock_.lock();
  if (counter_ == 0) return lock_.unlock();
  Goroutine& self = running_goroutine("WaitGroup::wait");
  for (bool cancelled = false; counter_ != 0 && !(cancelled && tasks_ == 0);) {
    Waiter waiter;
    waiter.goroutine = &self;
    if (cancelled) {
      waiter.ticket = open_ticket(self);
    } else if (!open_cancellable_ticket(self, waiter.ticket)) {
      cancelled = true;
      continue;
    }
    WaitQueue& queue = cancelled ? task_waiters_ : waiters_;
    queue.push_back(waiter);
    if (park_unlocking(self, "wait group", this, lock_) == WakeReason::kReady) {  // *this may be gone
      if (cancelled) throw_cancelled();
      return;
    }
    lock_.lock();
    if (waiter.queued) queue.remove(waiter);
    cancelled = cancelled || cancellation_due(self);
  }
  lock_.unlock();
  check_cancelled(self);
}

// The lock even where nothing is left: the last task may have counted itself off and still hold it.
WaitGroup::~WaitGroup() {
  lock_.lock();
  while (tasks_ != 0) {
    Goroutine& self = running_goroutine("WaitGroup::~WaitGroup");
    Waiter waiter;
    waiter.goroutine = &self;
    waiter.ticket = open_ticket(self);
    task_waiters_.push_back(waiter);
    park_unlocking(self, "destructor of a wait group", this, lock_);
    lock_.lock();
    if (waiter.queued) task_waiters_.remove(waiter);  // woken by a cancellation, which is not for a destructor
  }
  lock_.unlock();
}

}  // namespace tandem
