#include "sched/deadlock.h"

#include <cstdio>
#include <mutex>
#include <unistd.h>

#include "runtime/base/assert.h"
#include "runtime/seam/phase.h"
#include "runtime/seam/registry.h"
#include "sched/dump.h"
#include "sched/foreign.h"
#include "sched/shared.h"
#include "sched/spawn.h"

namespace tandem::sched {

namespace {

/// With the lock of the idle lists held, so that no worker can be given a processor: if all of them are idle, nothing runs.
bool is_deadlocked() {
  if (shared->idle.idle_processors.load(std::memory_order_relaxed) != seam::registry.processor_count) return false;
  if (shared->stopping.load(std::memory_order_relaxed) || !shared->injection.empty()) return false;
  for (Processor& processor : seam::registry.all_processors())
    if (processor.sched->has_queued() || processor.sched->queue.has_next() ||
        processor.sched->timers.next_ns() != TimerWheel::kNever)
      return false;
  for (std::uint32_t i = 0; i < shared->worker_count.load(std::memory_order_relaxed); ++i) {
    const Worker* const worker = shared->workers[i].load(std::memory_order_relaxed);
    if (worker != nullptr && (worker->in_blocking.load(std::memory_order_acquire) || worker->handed != nullptr))
      return false;
  }
  if (seam::registry.poller != nullptr && seam::registry.poller->waiters() > 0) return false;
  if (external_wakers() > 0 || posts_under_way()) return false;
  // A cycle that other threads work for, or work that nobody has been woken for yet.
  if (seam::current_phase() != seam::Phase::kIdle || seam::registry.collector->has_work()) return false;
  return shared->injection.empty() && live_goroutines() > 0;
}

}  // namespace

void report_if_deadlocked(const Worker* self) {
  {
    const std::lock_guard guard(shared->idle.lock);
    if (!is_deadlocked()) return;
    if (seam::registry.poller != nullptr) {
      const Worker* const watcher = shared->idle.watcher.load(std::memory_order_seq_cst);
      if (watcher != nullptr && watcher != self) return seam::registry.poller->interrupt();
      if (!shared->injection.empty()) return;  // he left between our looks
    }
  }
  std::fflush(stdout);
  std::fprintf(stderr, "fatal: all goroutines are asleep - deadlock!\n\n");
  dump_all(stderr);
  std::fflush(stderr);
  _exit(2);
}

}  // namespace tandem::sched
