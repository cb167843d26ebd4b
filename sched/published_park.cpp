// The part of SchedulerPort on which the network stands: parks that somebody outside ends.

#include "runtime/base/spin_lock.h"
#include "runtime/seam/trace.h"
#include "sched/outside.h"
#include "sched/scheduler.h"
#include "sched/waiting.h"
#include "tandem/go.h"

namespace tandem::sched {

namespace {

struct PublishedPark {
  bool (*publish)(void*, seam::ParkTicket);
  void* argument;
  seam::ParkTicket ticket;
  bool timed;
  WaitTimer timer;
  detail::SpinLock committing;  // held until commit has done with this record
};

// The timer first: it must have been started when its goroutine goes on, which may be as soon as the ticket is published.
bool commit_published(Goroutine& parked, void* argument) {
  auto& park = *static_cast<PublishedPark*>(argument);
  if (park.timed) park.timer.start(processor_of(parked));
  const bool waits = park.publish(park.argument, park.ticket);
  park.committing.unlock();
  return waits;
}

}  // namespace

WakeReason Scheduler::park_published(bool (*publish)(void*, seam::ParkTicket), void* argument,
                                     std::uint64_t deadline_ns, const char* reason) {
  Goroutine& self = running_goroutine(reason);
  PublishedPark record{publish, argument, {&self, 0}, deadline_ns != kNoDeadline, {}, {}};
  if (!open_cancellable_ticket(self, record.ticket.number)) return WakeReason::kCancelled;
  if (record.timed) record.timer.set(self, record.ticket.number, deadline_ns);
  record.committing.lock();
  const WakeReason woken = park(self, reason, argument, &commit_published, &record);
  record.committing.lock();
  if (record.timed) record.timer.cancel();
  return woken;
}

// All who compete for the ticket of such a park use claim(): the timer, cancellation, this.
bool Scheduler::wake(seam::ParkTicket ticket, Processor* here) {
  Goroutine& goroutine = *ticket.goroutine;
  if (!claim(goroutine, ticket.number)) return false;
  if (here != nullptr) {
    // The first of a batch goes before what is queued, which may be preempted again and again.
    ready(goroutine, *here, !here->sched->queue.has_next());
    return true;
  }
  // Acquire: pairs with the release of the switch by which it leaves its stack.
  while ((goroutine.state.load(std::memory_order_acquire) & seam::kStateMask) != seam::kWaiting) base::cpu_relax();
  seam::trace_outside(seam::TraceKind::kUnblock, goroutine.id);
  if (make_runnable_outside(goroutine)) inject(goroutine);
  return true;
}

void Scheduler::check_cancelled() { sched::check_cancelled(running_goroutine("a blocking call")); }

void Scheduler::run_blocking(void (*function)(void*), void* argument) {
  constexpr std::size_t kStackBytes = 128 * 1024;  // what the C library's resolver may take
  ensure_stack(kStackBytes, [=] { blocking([=] { function(argument); }); });
}

}  // namespace tandem::sched
