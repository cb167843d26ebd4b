// Waking: how a submitter finds a worker for what it submitted. The rules I1, I3 and I4 are in idle.h.

#include <mutex>
#include <utility>

#include "runtime/seam/registry.h"
#include "sched/idle.h"
#include "sched/idle_lists.h"
#include "sched/monitor.h"
#include "sched/workers.h"

namespace tandem::sched {

void push_processor(Processor& processor) {
  processor.sched->next_idle = std::exchange(idle().processors, &processor);
  idle().idle_processors.fetch_add(1, std::memory_order_seq_cst);  // I2
}

Processor* pop_processor() {
  Processor* const processor = idle().processors;
  if (processor == nullptr) return nullptr;
  idle().processors = processor->sched->next_idle;
  idle().idle_processors.fetch_sub(1, std::memory_order_seq_cst);
  return processor;
}

void push_worker(Worker& worker) {
  worker.idle = true;
  worker.next_idle = std::exchange(idle().workers, &worker);
}

void remove_worker(Worker& worker) {
  for (Worker** link = &idle().workers; *link != nullptr; link = &(*link)->next_idle)
    if (*link == &worker) {
      *link = worker.next_idle;
      break;
    }
  worker.idle = false;
}

namespace {

/// Takes the worker at the top, one that does not watch if there is such a one: interrupting the poller costs
/// more.
Worker* pop_worker() {
  Worker* worker = idle().workers;
  if (worker != nullptr && worker->watching && worker->next_idle != nullptr) worker = worker->next_idle;
  if (worker != nullptr) remove_worker(*worker);
  return worker;
}

void interrupt(Worker& worker, bool watching) {
  if (watching && seam::registry.poller != nullptr)
    seam::registry.poller->interrupt();
  else
    worker.parker.unpark();
}

/// Takes a processor off the list and gives it to a worker. The caller has counted one searching worker for
/// it if `searching`. False: there is no idle processor.
bool wake_one(bool searching) {
  Processor* processor = nullptr;
  Worker* worker = nullptr;
  bool watching = false;
  {
    const std::lock_guard guard(idle().lock);
    processor = pop_processor();
    if (processor == nullptr) return false;
    worker = pop_worker();
    if (worker != nullptr) {
      worker->handed = processor;
      worker->handed_searching = searching;
      watching = worker->watching;
    }
  }
  if (worker != nullptr) {
    interrupt(*worker, watching);
    return true;
  }
  if (start_worker(*processor, searching)) return true;
  const std::lock_guard guard(idle().lock);
  push_processor(*processor);
  return false;
}

}  // namespace

bool any_queue_has_work() {
  if (!shared->injection.empty()) return true;
  for (Processor& processor : seam::registry.all_processors())
    if (processor.sched->has_queued()) return true;
  return false;
}

void wake_if_nobody_searches() {
  for (;;) {
    std::uint32_t nobody = 0;
    // Sequentially consistent: of two submitters one wakes; and part of I1 with the worker that leaves
    // `searching`.
    if (!idle().searching.compare_exchange_strong(nobody, 1, std::memory_order_seq_cst)) return;
    if (wake_one(true)) return;
    idle().searching.fetch_sub(1, std::memory_order_seq_cst);
    // While we were counted as searching, another submitter may have left it to us to wake a processor that
    // became idle just after we looked.
    if (!any_queue_has_work() || idle().idle_processors.load(std::memory_order_seq_cst) == 0) return;
  }
}

void wake_for_work_relaxed() {
  if (idle().idle_processors.load(std::memory_order_relaxed) == 0 ||
      idle().searching.load(std::memory_order_relaxed) != 0)
    return;
  wake_if_nobody_searches();
}

void wake_for_work() {
  std::atomic_thread_fence(std::memory_order_seq_cst);  // I1
  wake_for_work_relaxed();
}

void wake_workers(std::uint32_t count) {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  while (count-- > 0 && idle().idle_processors.load(std::memory_order_relaxed) > 0 && wake_one(false)) {
  }
}

void wake_sleeper_before(std::uint64_t when_ns) {
  // Sequentially consistent: after the store of the heap's next_ns, I4.
  const std::uint64_t watched_until = idle().watch_until_ns.load(std::memory_order_seq_cst);
  if (watched_until == 0) return wake_monitor_before(when_ns);
  if (when_ns >= watched_until) return;
  const std::lock_guard guard(idle().lock);
  Worker* const watcher = idle().watcher.load(std::memory_order_relaxed);
  if (watcher != nullptr) interrupt(*watcher, true);
}

void wake_everybody() {
  for (std::uint32_t i = 0; i < shared->worker_count.load(std::memory_order_acquire); ++i) {
    Worker* const worker = shared->workers[i].load(std::memory_order_acquire);
    if (worker != nullptr) worker->parker.unpark();
  }
  if (seam::registry.poller != nullptr) seam::registry.poller->interrupt();
}

}  // namespace tandem::sched
