#include "tandem/task_group.h"

#include "sched/channel_operations.h"
#include "sched/waiting.h"
#include "tandem/detail/channel_core.h"

namespace tandem {

using namespace sched;

TaskGroup::~TaskGroup() {
  lock_.lock();
  const bool idle = pending_ == 0;
  lock_.unlock();
  if (idle) return;
  cancel();
  wait_for_all(false);
}

void TaskGroup::task_starts() {
  lock_.lock();
  ++pending_;
  lock_.unlock();
}

void TaskGroup::task_ended() {
  Waiter* waiter = nullptr;
  lock_.lock();
  if (--pending_ == 0) waiter = claim_first(waiters_);
  lock_.unlock();  // the last access
  if (waiter != nullptr) ready(goroutine_of(*waiter), processor_of(running_goroutine("TaskGroup::go")));
}

/// False: the group is cancelled, the task must not start.
bool TaskGroup::begin(Task& task) {
  task.goroutine = &running_goroutine("TaskGroup::go");
  lock_.lock();
  const bool start = !cancelled_;
  if (start) {
    task.previous = nullptr;
    task.next = tasks_;
    if (tasks_ != nullptr) tasks_->previous = &task;
    tasks_ = &task;
  }
  lock_.unlock();
  return start;
}

void TaskGroup::end(Task& task) {
  lock_.lock();
  (task.previous != nullptr ? task.previous->next : tasks_) = task.next;
  if (task.next != nullptr) task.next->previous = task.previous;
  lock_.unlock();
}

void TaskGroup::fail(std::exception_ptr exception) {
  lock_.lock();
  if (first_ == nullptr) first_.swap(exception);
  cancel_locked();
  lock_.unlock();
}

void TaskGroup::cancel() {
  lock_.lock();
  cancel_locked();
  lock_.unlock();
}

/// Tasks are in the list for as long as their goroutine may be cancelled: the lock keeps them from ending
/// meanwhile.
void TaskGroup::cancel_locked() {
  if (pending_ == 0) return;
  cancelled_ = true;
  if (tasks_ == nullptr) return;
  Goroutine& self = running_goroutine("TaskGroup::cancel");
  for (Task* task = tasks_; task != nullptr; task = task->next)
    if (task->goroutine != &self) sched::cancel(*static_cast<Goroutine*>(task->goroutine), processor_of(self));
}

/// True: cancelled while waiting, and the tasks with it. Not before all have ended.
bool TaskGroup::wait_for_all(bool cancellable) {
  Goroutine& self = running_goroutine("TaskGroup::wait");
  bool told = false;
  lock_.lock();
  while (pending_ != 0) {
    Waiter waiter;
    waiter.goroutine = &self;
    if (!cancellable || told) {
      waiter.ticket = open_ticket(self);
    } else if (!open_cancellable_ticket(self, waiter.ticket)) {
      told = true;
      cancel_locked();
      continue;
    }
    waiters_.push_back(waiter);
    const WakeReason reason = park_unlocking(self, "task group", this, lock_);
    lock_.lock();
    if (reason != WakeReason::kCancelled) continue;
    if (waiter.queued) waiters_.remove(waiter);
    if (cancellable && !told && cancellation_due(self)) {
      told = true;
      cancel_locked();
    }
  }
  cancelled_ = false;
  lock_.unlock();
  return told;
}

void TaskGroup::wait() {
  detail::poll_in_call();
  const bool told = wait_for_all(true);
  if (std::exception_ptr first = std::exchange(first_, nullptr)) std::rethrow_exception(std::move(first));
  if (told) throw_cancelled();
}

}  // namespace tandem
