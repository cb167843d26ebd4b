// SchedulerPort: what the collector and the poller ask of the scheduler.

#include <algorithm>
#include <mutex>
#include <utility>

#include "runtime/base/spin_lock.h"
#include "runtime/seam/registry.h"
#include "runtime/seam/requests.h"
#include "runtime/seam/scan_claim.h"
#include "runtime/seam/trace.h"
#include "sched/ask_in_turn.h"
#include "sched/direct_switch.h"
#include "sched/idle.h"
#include "sched/outside.h"
#include "sched/scheduler.h"
#include "sched/shared.h"
#include "sched/simulation.h"
#include "sched/spawn.h"
#include "sched/switch.h"

namespace tandem::sched {

namespace {

/// A goroutine in park_until; lies on its stack.
struct Waiter {
  bool (*finished)(void*);
  void* argument;
  Goroutine* goroutine;
  std::uint64_t ticket;
  Waiter* next;
};

struct WaiterList {
  base::SpinLock lock;
  Waiter* first = nullptr;
};
WaiterList waiters;

/// Publishes the waiter, then looks once more: recheck_waiters either finds it or came before that look.
bool commit_waiter(Goroutine&, void* argument) {
  auto& waiter = *static_cast<Waiter*>(argument);
  const std::lock_guard guard(waiters.lock);
  if (waiter.finished(waiter.argument)) return false;
  waiter.next = std::exchange(waiters.first, &waiter);
  return true;
}

/// Takes one waiter whose condition holds off the list; its wake-up is the caller's.
Goroutine* take_finished_waiter() {
  const std::lock_guard guard(waiters.lock);
  for (Waiter** link = &waiters.first; *link != nullptr; link = &(*link)->next) {
    Waiter& waiter = **link;
    if (!waiter.finished(waiter.argument)) continue;
    *link = waiter.next;
    Goroutine& goroutine = *waiter.goroutine;
    // Cancellation competes for the ticket; if it has won, it wakes the goroutine, which finds itself off the list.
    waiter.next = nullptr;
    return claim(goroutine, waiter.ticket) ? &goroutine : nullptr;
  }
  return nullptr;
}

void withdraw(Waiter& waiter) {
  const std::lock_guard guard(waiters.lock);
  for (Waiter** link = &waiters.first; *link != nullptr; link = &(*link)->next)
    if (*link == &waiter) {
      *link = waiter.next;
      return;
    }
}

}  // namespace

void Scheduler::enqueue(seam::Goroutine& goroutine, seam::Processor& here) {
  push_local(goroutine, here);
  wake_for_work();
}

void Scheduler::wake_for_collector_work(std::uint32_t workers) {
  seam::registry.world_stop.rouse(workers);
  wake_workers(workers);
}

void Scheduler::offer_cycle_step(std::size_t pieces) {
  seam::registry.world_stop.rouse(pieces);
  const std::uint32_t idle_processors = shared->idle.idle_processors.load(std::memory_order_relaxed);
  if (idle_processors > 0)
    wake_workers(static_cast<std::uint32_t>(std::clamp<std::size_t>(pieces, 1, idle_processors)));
  else
    ask_in_turn(seam::kRequestCollectorQuantum);
}

void Scheduler::park_until(bool (*finished)(void*), void* argument, const char* reason) {
  Goroutine& self = running_goroutine("waiting for the collector");
  while (!finished(argument)) {
    Waiter waiter{finished, argument, &self, open_ticket(self), nullptr};
    park_within_call(self, reason, argument, &commit_waiter, &waiter);
    withdraw(waiter);  // a cancellation has woken it: not for us
  }
}

void Scheduler::recheck_waiters() {
  // Under the lock the list is consistent; a waiter that cancellation has claimed is skipped by the loop in park_until.
  for (;;) {
    bool any = false;
    {
      const std::lock_guard guard(waiters.lock);
      for (const Waiter* waiter = waiters.first; waiter != nullptr && !any; waiter = waiter->next)
        any = waiter->finished(waiter->argument);
    }
    if (!any) return;
    Goroutine* const goroutine = take_finished_waiter();
    if (goroutine == nullptr) continue;
    await_parked(*goroutine);  // commit_waiter has let the list go, but the state may not have been stored yet
    seam::trace_outside(seam::TraceKind::kUnblock, goroutine->id);
    if (!make_runnable_outside(*goroutine)) continue;
    inject(*goroutine);
    // What it waited for is over: it does not wait for the end of somebody's slice as well.
    if (shared->idle.idle_processors.load(std::memory_order_relaxed) == 0) ask_in_turn(seam::kRequestPreempt);
  }
}

void Scheduler::spawn_runtime_goroutine(const char* name, void (*body)(void*), void* argument) {
  struct Call {
    void (*body)(void*);
    void* argument;
  };
  static constexpr seam::ClosureOperations kOperations{[](void* cell) {
                                                         const Call call = *static_cast<Call*>(cell);
                                                         call.body(call.argument);
                                                       },
                                                       [](void*) noexcept {}};
  Goroutine* const self = seam::current_goroutine();
  Processor* const here = self != nullptr ? &processor_of(*self) : nullptr;
  Goroutine& goroutine = begin_spawn(here, kOperations, sizeof(Call),
                                     {name, std::char_traits<char>::length(name), 0, seam::kRuntimeGoroutine});
  *static_cast<Call*>(goroutine.closure) = {body, argument};
  finish_spawn(goroutine, here);
}

void Scheduler::preempt_running(seam::Goroutine& goroutine) {
  Processor& here = processor_of(goroutine);
  if (shared->simulated && !yields_at_poll(here)) return;
  here.sched->preemptions.add();
  leave_to_loop(goroutine, Leaving::kPreempt);
}

}  // namespace tandem::sched
