// blocking(f): the goroutine keeps its thread, its processor can be taken away.
//
//   B1  Worker::lent holds the processor; whoever exchanges it for null drives it: the worker when f returns, or the monitor.
//   B2  The status goes to `blocked` before the requests are read: a handshake requester does it the other way round.
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

void set_status(Processor& processor, seam::ProcessorStatus from, seam::ProcessorStatus to) {
  auto expected = from;
  // Acquire and release: the processor changes hands. `claimed` passes within a microsecond.
  while (!processor.status.compare_exchange_weak(expected, to, std::memory_order_acq_rel)) {
    expected = from;
    base::cpu_relax();
  }
}

/// blocked -> running, once nobody scans the stack.
void unblock(Goroutine& self) {
  std::uint32_t expected = seam::kBlocked;
  while (!self.state.compare_exchange_weak(expected, seam::kRunning, std::memory_order_acquire)) {
    expected = seam::kBlocked;
    base::cpu_relax();
  }
}

/// The worker takes its own processor back; false: it has been taken away.
bool take_back(Worker& worker) {
  // Acquire-release: B1.
  Processor* const mine = worker.lent.exchange(nullptr, std::memory_order_acq_rel);
  if (mine == nullptr) return false;
  set_status(*mine, seam::ProcessorStatus::kBlocked, seam::ProcessorStatus::kRunning);
  return true;
}

void attach(Goroutine& self, Worker& worker) {
  Processor& here = *worker.processor.load(std::memory_order_relaxed);
  unblock(self);
  self.processor = &here;
  here.running = &self;
  worker.in_blocking.store(false, std::memory_order_release);
}

/// Gives the thread back to the scheduler loop, which has no processor either, and waits for one in the injection queue.
[[gnu::noinline]] void wait_in_queue(Goroutine& self, Worker& worker) {
  unblock(self);  // nobody reads the saved context from here on
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

bool retake_processor(Worker& worker) {
  Processor* const processor = worker.lent.exchange(nullptr, std::memory_order_acq_rel);  // B1
  if (processor == nullptr) return false;
  processor->worker = nullptr;
  set_status(*processor, seam::ProcessorStatus::kBlocked, seam::ProcessorStatus::kIdle);
  hand_off(*processor);
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

  here.running = nullptr;
  worker.in_blocking.store(true, std::memory_order_relaxed);
  worker.blocking_calls.add();
  self.state.store(seam::kBlocked, std::memory_order_release);  // B3
  worker.lent.store(&here, std::memory_order_release);
  here.status.store(seam::ProcessorStatus::kBlocked, std::memory_order_seq_cst);  // B2
  // A requester that still saw us running leaves its handshake to us: serve it, as often as it takes.
  while (here.requests.load(std::memory_order_seq_cst) != 0 && seam::registry.handshake.pending_for(here) &&
         take_back(worker)) {
    seam::registry.handshake.acknowledge(here);
    worker.lent.store(&here, std::memory_order_release);
    here.status.store(seam::ProcessorStatus::kBlocked, std::memory_order_seq_cst);
  }
  hurry_monitor();
}

[[gnu::noinline]] BlockingScope::~BlockingScope() {
  const int saved_errno = errno;  // f's; read on the thread it ran on, before anything else
  Worker& worker = *static_cast<Worker*>(worker_);
  Goroutine& self = *seam::current_goroutine();
  if (take_back(worker)) [[likely]] {
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
