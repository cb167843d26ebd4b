// blocking(f): the goroutine keeps its thread, its processor can be taken away.
//
//   B1  The status is `blocked` with the worker's index; whoever swaps it for something else has the processor: the worker
//       when f returns (running), or the monitor (idle). The index makes the worker's swap fail after the processor has
//       been somewhere else, whatever it did there; `claimed` (by a handshake) passes.
//   B2  The status goes to `blocked` before the requests are read: a handshake requester does it the other way round. With
//       one processor the requester would be whoever drives it, so no fence is needed.
//   B3  The goroutine is `blocked` and its stack, from the caller's frame up, may be scanned at any moment; it becomes
//       `running` again only when nobody scans it, and is scanned itself before it goes on if that is due.

#include <cerrno>

#include "runtime/base/assert.h"
#include "runtime/seam/registry.h"
#include "runtime/seam/requests.h"
#include "sched/direct_switch.h"
#include "sched/monitor.h"
#include "sched/shared.h"
#include "tandem/go.h"

namespace tandem::sched {

namespace {

/// blocked -> running, once nobody scans the stack.
void unblock(Goroutine& self, const Processor& here) {
  // No stack can be claimed before this processor has acknowledged handshake 2: goroutine.h.
  if (here.scan_mode == seam::ScanMode::kNone) [[likely]]
    return self.state.store(seam::kRunning, std::memory_order_relaxed);
  std::uint32_t expected = seam::kBlocked;
  while (!self.state.compare_exchange_weak(expected, seam::kRunning, std::memory_order_acquire)) {
    expected = seam::kBlocked;
    base::cpu_relax();
  }
}

void lend(Processor& here, const Worker& worker) {
  const seam::ProcessorStatus blocked = seam::blocked_by(worker.index);
  if (detail::run_in_parallel())
    here.status.store(blocked, std::memory_order_seq_cst);  // B2
  else
    here.status.store(blocked, std::memory_order_release);
}

/// The worker takes its own processor back; false: it has been taken away. B1.
bool take_back(Processor& mine, const Worker& worker) {
  seam::ProcessorStatus status = seam::blocked_by(worker.index);
  // Acquire: what others did with the processor, acting for it, is seen.
  while (!mine.status.compare_exchange_weak(status, seam::ProcessorStatus::kRunning, std::memory_order_acquire,
                                            std::memory_order_relaxed)) {
    if (status != seam::ProcessorStatus::kClaimed && status != seam::blocked_by(worker.index)) return false;
    status = seam::blocked_by(worker.index);
    base::cpu_relax();
  }
  return true;
}

void attach(Goroutine& self, Worker& worker) {
  Processor& here = *worker.processor.load(std::memory_order_relaxed);
  unblock(self, here);
  self.processor = &here;
  here.running = &self;
  if (here.trace != nullptr) [[unlikely]] {
    here.trace->add(seam::TraceKind::kBlockingEnd, self.id, 0);
    here.trace->add(seam::TraceKind::kStart, self.id, 0);
  }
  worker.in_blocking.store(false, std::memory_order_release);
}

/// Gives the thread back to the scheduler loop, which has no processor either, and waits for one in the injection queue.
[[gnu::noinline]] void wait_in_queue(Goroutine& self, Worker& worker) {
  seam::check_holds_no_lock(self, "end of a blocking call");
  seam::trace_outside(seam::TraceKind::kBlockingEnd, self.id);
  // Until it is given a processor again nobody may read the saved context: wait for a scan that goes on.
  std::uint32_t expected = seam::kBlocked;
  while (!self.state.compare_exchange_weak(expected, seam::kRunning, std::memory_order_acquire)) {
    expected = seam::kBlocked;
    base::cpu_relax();
  }
  const context::CxxKeeper kept(worker.cxx);
  context::before_switch(self.sanitizer_fiber, worker.fiber, false);
  const context::Message left = context::switch_context(
      self.context, worker.scheduler_context, {&self, reinterpret_cast<void*>(Leaving::kUnattached), nullptr});
  context::after_switch(self.sanitizer_fiber);
  Processor& now = processor_of(self);
  finish_switch(left, now);
  kept.give_back(now.worker->cxx);
}

}  // namespace

bool retake_processor(Processor& processor, seam::ProcessorStatus blocked) {
  if (!processor.status.compare_exchange_strong(blocked, seam::ProcessorStatus::kIdle, std::memory_order_acq_rel))
    return false;  // B1
  processor.worker = nullptr;
  seam::trace(processor, seam::TraceKind::kProcessorStop);
  hand_off(processor);
  return true;
}

}  // namespace tandem::sched

namespace tandem::detail {

using namespace tandem::sched;

[[gnu::noinline]] BlockingScope::BlockingScope() {
  Goroutine& self = running_goroutine("tandem::blocking");
  TANDEM_CHECK(self.state.load(std::memory_order_relaxed) == seam::kRunning,
               "blocking(f) was called inside the f of another blocking(f)");
  seam::poll();
  Processor& here = processor_of(self);
  Worker& worker = *here.worker;
  worker_ = &worker;

  // The caller's frame and all above it are what is scanned: live_low() is to give the caller's stack pointer.
  auto** const frame = static_cast<void**>(__builtin_frame_address(0));
  self.context.sp = reinterpret_cast<std::byte*>(frame + 2) + context::kRedZoneBytes;
  self.context.resume = __builtin_return_address(0);
  self.context.frame = frame[0];
  self.wait_reason = "blocking call";
  self.wait_object = nullptr;
  self.wait_since_ns = seam::coarse_now_ns.load(std::memory_order_relaxed);

  seam::trace(here, seam::TraceKind::kBlockingBegin, self.id);
  here.running = nullptr;
  worker.in_blocking.store(true, std::memory_order_relaxed);
  here.sched->blocking_calls.add();
  self.state.store(seam::kBlocked, std::memory_order_release);  // B3
  lend(here, worker);
  // A requester that still saw us running leaves its handshake to us: serve it, as often as it takes.
  while (here.requests.load(std::memory_order_seq_cst) != 0 && seam::registry.handshake.pending_for(here) &&
         take_back(here, worker)) {
    seam::registry.handshake.acknowledge(here);
    lend(here, worker);
  }
  if (is_needed(here)) hurry_monitor();
}

[[gnu::noinline]] BlockingScope::~BlockingScope() {
  const int saved_errno = errno;  // f's; read on the thread it ran on, before anything else
  Worker& worker = *static_cast<Worker*>(worker_);
  Goroutine& self = *seam::current_goroutine();
  if (take_back(*worker.processor.load(std::memory_order_relaxed), worker)) [[likely]] {
    attach(self, worker);
  } else {
    worker.processor.store(nullptr, std::memory_order_relaxed);
    if (take_idle_processor(worker))
      attach(self, worker);
    else
      wait_in_queue(self, worker);
  }
  if (seam::needs_scan(self, processor_of(self))) seam::registry.collector->scan(self, processor_of(self));
  seam::poll();
  // The address of errno may be another thread's now, and compilers take it for a constant.
  *processor_of(self).worker->cxx.errno_location = saved_errno;
}

}  // namespace tandem::detail
