#pragma once
// The scheduler as boot sees it, and as the collector and the poller see it (SchedulerPort).
//
// Order of calls, all on the thread that called tandem::run:
//
//   seam::registry.options, processors, processor_count, collector, poller (may be null) and scheduler are set by boot
//   scheduler.start();                        processors are attached to the collector, the monitor thread runs
//   scheduler.run_first(operations, closure); the closure runs as the first goroutine, this thread being one of the
//                                             workers; returns when every goroutine has ended, the collector's finish_run
//                                             has returned and all worker threads are joined
//   scheduler.stop();                         everything start() made is undone; the registry can be cleared
//
// The closure given to run_first is not copied: it must outlive the call. It must not let an exception out.
// Both start() and run_first() may throw std::bad_alloc or std::system_error; stop() then still undoes everything.

#include <cstdint>

#include "runtime/seam/goroutine.h"
#include "runtime/seam/ports.h"

namespace tandem::sched {

class Scheduler final : public seam::SchedulerPort {
 public:
  Scheduler() = default;
  ~Scheduler() override { stop(); }
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  /// Reads registry.options. Sets registry.stacks and the `sched` and `index` words of every processor.
  void start();
  /// Blocks until the run is over. Once per start().
  void run_first(const seam::ClosureOperations& operations, void* closure);
  /// Idempotent.
  void stop() noexcept;

  // -- SchedulerPort.
  void enqueue(seam::Goroutine& goroutine, seam::Processor& here) override;
  void wake_for_collector_work(std::uint32_t workers) override;
  void offer_cycle_step(std::size_t pieces) override;
  void park_until(bool (*finished)(void*), void* argument, const char* reason) override;
  void recheck_waiters() override;
  seam::WakeReason park_published(bool (*publish)(void*, seam::ParkTicket), void* argument, std::uint64_t deadline_ns,
                                  const char* reason) override;
  bool wake(seam::ParkTicket ticket, seam::Processor* here) override;
  void check_cancelled() override;
  void run_blocking(void (*function)(void*), void* argument) override;
  void spawn_runtime_goroutine(const char* name, void (*body)(void*), void* argument) override;
  void preempt_running(seam::Goroutine& goroutine) override;

 private:
  bool started_ = false;
};

}  // namespace tandem::sched
