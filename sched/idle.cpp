// Sleeping: how a worker that finds nothing gives its processor up, and how it comes back. The rules are in
// idle.h.

#include "sched/idle.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "runtime/base/assert.h"
#include "runtime/base/clock.h"
#include "runtime/seam/registry.h"
#include "runtime/seam/safepoint.h"
#include "runtime/seam/trace.h"
#include "sched/deadlock.h"
#include "sched/idle_lists.h"
#include "sched/monitor.h"

namespace tandem::sched {

namespace {

constexpr std::uint64_t kTimerBatchNs = 50'000;  // I5

// -- What there is to do.

std::uint64_t earliest_timer_ns() {
  std::uint64_t earliest = TimerWheel::kNever;
  for (Processor& processor : seam::registry.all_processors()) {
    const std::uint64_t next = processor.sched->timers.next_ns();
    if (next < earliest) earliest = next;
  }
  return earliest;
}

/// There is something to wait for, and nobody sleeps in the poller.
bool somebody_should_watch() {
  if (idle().watcher.load(std::memory_order_seq_cst) != nullptr) return false;
  const seam::PollerPort* const poller = seam::registry.poller;
  return earliest_timer_ns() != TimerWheel::kNever || (poller != nullptr && poller->waiters() > 0);
}

bool anything_to_do(const Worker& worker) {
  if (shared->stopping.load(std::memory_order_seq_cst) || any_queue_has_work()) return true;
  const std::uint64_t earliest = earliest_timer_ns();
  if (earliest != TimerWheel::kNever && earliest <= base::now_ns()) return true;
  return !worker.collector_refused && seam::registry.collector->has_work();
}

/// After a sleep that nobody ended by handing a processor over: true when the worker drives one now.
bool take_what_is_there(Worker& worker) {
  std::unique_lock guard(idle().lock);
  if (worker.handed != nullptr) return false;  // handed over meanwhile; the token is on its way
  Processor* const processor = pop_processor();
  if (processor == nullptr) return false;
  remove_worker(worker);
  guard.unlock();
  drive(worker, *processor);
  return true;
}

/// Takes over the processor that a waker left; null: none.
bool accept_handed(Worker& worker) {
  Processor* processor = nullptr;
  {
    const std::lock_guard guard(idle().lock);
    processor = std::exchange(worker.handed, nullptr);
    if (processor == nullptr) return false;
    worker.searching = worker.handed_searching;
  }
  drive(worker, *processor);
  return true;
}

// -- Sleeping.

/// The watcher has found events: takes a processor before it makes their goroutines runnable, so that it runs the first itself;
/// for the others it wakes another worker when it stops searching (I6). Null: all processors are driven.
Processor* acquire_for_events(void* argument) {
  Worker& worker = *static_cast<Worker*>(argument);
  Processor* processor = nullptr;
  {
    const std::lock_guard guard(idle().lock);
    worker.watching = false;
    if (worker.handed != nullptr) {
      processor = std::exchange(worker.handed, nullptr);
      worker.searching = worker.handed_searching;
    } else {
      processor = pop_processor();
      if (processor == nullptr) return nullptr;
      remove_worker(worker);
    }
  }
  if (!worker.searching) {
    idle().searching.fetch_add(1, std::memory_order_seq_cst);
    worker.searching = true;
  }
  worker.from_poller = true;
  drive(worker, *processor);
  return processor;
}

/// One sleep in the poller, up to the earliest timer. I4, I5.
void watch(Worker& worker) {
  {
    const std::lock_guard guard(idle().lock);
    if (worker.handed != nullptr) return;
    worker.watching = true;
  }
  idle().watch_until_ns.store(UINT64_MAX, std::memory_order_seq_cst);
  const std::uint64_t earliest = earliest_timer_ns();
  const std::uint64_t until = std::max(earliest, idle().next_timer_wake_ns);
  const std::uint64_t now = base::now_ns();
  idle().watch_until_ns.store(until == earliest ? until : now, std::memory_order_seq_cst);  // no earlier timer matters
  const std::uint64_t timeout = until == TimerWheel::kNever ? UINT64_MAX : until > now ? until - now : 0;
  const std::uint64_t fell_asleep = base::real_now_ns();
  if (timeout > 0 && !shared->stopping.load(std::memory_order_seq_cst)) {
    if (seam::registry.poller != nullptr) {
      seam::registry.poller->wait(timeout, &acquire_for_events, &worker);
      if (Processor* const acquired = worker.processor.load(std::memory_order_relaxed))
        acquired->sched->polled.set(acquired->sched->queue);
      shared->last_poll_ns.store(base::now_ns(), std::memory_order_relaxed);
    } else if (timeout == UINT64_MAX) {
      worker.parker.park();
    } else {
      worker.parker.park_for(timeout);
    }
  }
  if (shared->simulated) base::advance_virtual_time(now + base::real_now_ns() - fell_asleep);
  idle().watch_until_ns.store(0, std::memory_order_seq_cst);
  if (until != TimerWheel::kNever) {
    const std::uint64_t woken = base::now_ns();
    if (woken >= until) idle().next_timer_wake_ns = woken + kTimerBatchNs;
  }
  const std::lock_guard guard(idle().lock);
  worker.watching = false;
}

/// Sleeps until the worker drives a processor, or the run is over. It is on the list of idle workers.
void sleep(Worker& worker) {
  for (;;) {
    if (accept_handed(worker) || shared->stopping.load(std::memory_order_seq_cst)) return;
    Worker* nobody = nullptr;
    if (idle().idle_processors.load(std::memory_order_seq_cst) == 0) {
      worker.parker.park();  // it could do nothing; who gives a processor up looks for itself (I2)
    } else if (idle().watcher.compare_exchange_strong(nobody, &worker, std::memory_order_seq_cst)) {
      // The announcement is out: what was armed or submitted before it is seen now.
      if (!anything_to_do(worker)) watch(worker);
      idle().watcher.store(nullptr, std::memory_order_seq_cst);
    } else {
      worker.parker.park();
    }
    if (worker.processor.load(std::memory_order_relaxed) != nullptr || accept_handed(worker)) return;
    if (!anything_to_do(worker))
      report_if_deadlocked(&worker);
    else if (take_what_is_there(worker))
      return;
  }
}

}  // namespace

bool start_searching(Worker& worker) {
  if (worker.searching) return true;
  const std::uint32_t busy = seam::registry.processor_count - idle().idle_processors.load(std::memory_order_relaxed);
  if (2 * idle().searching.load(std::memory_order_relaxed) >= busy) return false;
  idle().searching.fetch_add(1, std::memory_order_seq_cst);
  worker.searching = true;
  return true;
}

void stop_searching(Worker& worker, bool found) {
  if (!worker.searching) return;
  worker.searching = false;
  const bool back_soon = std::exchange(worker.from_poller, false);
  const bool last = idle().searching.fetch_sub(1, std::memory_order_seq_cst) == 1;
  if (!found || !last || idle().idle_processors.load(std::memory_order_seq_cst) == 0) return;
  // I3; and somebody has to sleep in the poller while there is something to wait for. Not when that is where we come from: we are
  // back soon, or the monitor sees that we are not.
  if (any_queue_has_work() || (!back_soon && somebody_should_watch())) wake_if_nobody_searches();
}

void drive(Worker& worker, Processor& processor) {
  auto expected = seam::ProcessorStatus::kIdle;
  // Acquire: pairs with the release of who drove it, or acted for it, last. `claimed` passes within a microsecond.
  while (
      !processor.status.compare_exchange_weak(expected, seam::ProcessorStatus::kRunning, std::memory_order_acq_rel)) {
    expected = seam::ProcessorStatus::kIdle;
    base::cpu_relax();
  }
  processor.worker = &worker;
  processor.running = nullptr;
  seam::trace(processor, seam::TraceKind::kProcessorStart, 0, worker.index);
  worker.processor.store(&processor, std::memory_order_relaxed);
  wake_monitor_if_deep_asleep();
}

bool take_idle_processor(Worker& worker) {
  Processor* processor = nullptr;
  {
    const std::lock_guard guard(idle().lock);
    processor = pop_processor();
  }
  if (processor == nullptr) return false;
  drive(worker, *processor);
  return true;
}

void become_idle(Worker& worker) {
  Processor& processor = *worker.processor.load(std::memory_order_relaxed);
  processor.worker = nullptr;
  processor.running = nullptr;
  seam::trace(processor, seam::TraceKind::kProcessorStop);
  // Status, then requests: a handshake requester does it the other way round, so one of us serves (handshake.h).
  processor.status.store(seam::ProcessorStatus::kIdle, std::memory_order_seq_cst);
  if (processor.requests.load(std::memory_order_seq_cst) != 0) return drive(worker, processor);
  worker.processor.store(nullptr, std::memory_order_relaxed);
  {
    const std::lock_guard guard(idle().lock);
    push_processor(processor);
  }
  wait_for_processor(worker);
}

void wait_for_processor(Worker& worker) {
  {
    const std::lock_guard guard(idle().lock);
    push_worker(worker);
  }
  if (worker.searching) {
    worker.searching = false;
    idle().searching.fetch_sub(1, std::memory_order_seq_cst);  // I2
  }
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (anything_to_do(worker)) {
    if (take_what_is_there(worker)) return;
  } else {
    report_if_deadlocked(&worker);
  }
  sleep(worker);
}

void hand_off(Processor& processor) {
  const bool work = processor.sched->has_queued() || processor.sched->queue.has_next() ||
                    processor.requests.load(std::memory_order_relaxed) != 0 || any_queue_has_work();
  {
    const std::lock_guard guard(idle().lock);
    push_processor(processor);
  }
  if (work) wake_workers(1);
  // The other way round for somebody who submitted between the two: I1 and I2 with this thread as the idle worker.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!work && any_queue_has_work()) wake_workers(1);
  if (!work && somebody_should_watch()) wake_workers(1);
}

}  // namespace tandem::sched
