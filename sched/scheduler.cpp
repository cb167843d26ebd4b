#include "sched/scheduler.h"

#include <new>

#include "runtime/base/assert.h"
#include "runtime/base/clock.h"
#include "runtime/context/overflow.h"
#include "runtime/seam/registry.h"
#include "runtime/seam/trace.h"
#include "runtime/seam/unhandled.h"
#include "sched/foreign.h"
#include "sched/monitor.h"
#include "sched/running_backtrace.h"
#include "sched/shared.h"
#include "sched/simulation.h"
#include "sched/spawn.h"
#include "sched/switch.h"
#include "sched/unhandled.h"
#include "sched/workers.h"
#include "tandem/detail/parallel.h"
#include "tandem/runtime.h"

namespace tandem::sched {

Shared* shared = nullptr;

namespace {

void report_overflow(detail::GoroutineWords* owner, void*) {
  const auto* const goroutine = static_cast<const Goroutine*>(owner);
  if (goroutine == nullptr) context::report_overflow_and_exit(0, nullptr, 0);
  context::report_overflow_and_exit(goroutine->id, goroutine->name, goroutine->stack.slot_bytes());
}

void create_shared(const Options& options) {
  shared = new Shared(detail::stack_map);
  if (!shared->stacks.open()) throw std::bad_alloc();
  seam::registry.stacks = &shared->stacks;
  shared->stack_bytes_max = options.stack_size_max;
  shared->yield_every_poll = options.yield_every_poll;
  shared->steal_always = options.steal_always;
  shared->mark_idle = options.mark_idle;
  shared->roots_by_worker = options.roots_by == Options::RootsBy::worker;
  shared->netpoll_during_mark = options.netpoll_during_mark;
  shared->simulated = options.seed != 0 && seam::registry.processor_count == 1;
  shared->zeal = options.yield_every_poll || options.steal_always || shared->simulated;
  shared->spin = seam::registry.processor_count <= base::usable_cpus();
  shared->on_unhandled_goroutine = seam::handles_unhandled() ? &seam::report_unhandled : nullptr;
}

void create_processors(const Options& options) {
  const std::uint64_t seed = options.seed != 0 ? options.seed : base::now_ns();
  std::uint32_t index = 0;
  for (Processor& processor : seam::registry.all_processors()) {
    processor.index = index;
    processor.sched = new ProcessorState(shared->stacks, seed + index, seam::registry.processor_count > 1);
    processor.status.store(seam::ProcessorStatus::kIdle, std::memory_order_relaxed);
    ++index;
  }
}

}  // namespace

void Scheduler::start() {
  TANDEM_CHECK(shared == nullptr, "a scheduler runs already");
  const Options& options = *seam::registry.options;
  started_ = true;
  seam::registry.goroutines.initialise();
  create_shared(options);
  if (shared->simulated) start_simulation();
  create_processors(options);
  detail::goroutines_in_parallel.store(seam::registry.processor_count > 1, std::memory_order_relaxed);
  for (Processor& processor : seam::registry.all_processors()) seam::registry.collector->attach(processor);
  context::install_overflow_handler(shared->stacks, &report_overflow);
  install_terminate_handler();
  install_signal_handlers();
  start_monitor();
}

void Scheduler::run_first(const seam::ClosureOperations& operations, void* closure) {
  struct Call {
    const seam::ClosureOperations& operations;
    void* closure;
  } call{operations, closure};
  static constexpr seam::ClosureOperations kCallOperations{[](void* cell) {
                                                             const Call& first = **static_cast<Call**>(cell);
                                                             first.operations.invoke(first.closure);
                                                           },
                                                           [](void*) noexcept {}};

  Processor& processor = seam::registry.processors[0];
  Goroutine& first = begin_spawn(&processor, kCallOperations, sizeof(Call*),
                                 {nullptr, 0, seam::registry.options->first_stack_size_max, seam::kFirstGoroutine});
  *static_cast<Call**>(first.closure) = &call;
  shared->first_goroutine = &first;
  seam::trace_create(&processor, first);
  // The other processors begin on the idle list; this one is driven by the calling thread.
  for (std::uint32_t i = seam::registry.processor_count; i-- > 1;) hand_off(seam::registry.processors[i]);
  first.state.store(seam::kRunnable, std::memory_order_relaxed);
  push_local(first, processor);
  open_foreign_gate();
  work_on_this_thread(processor);
  halt_monitor();  // it looks at the workers
  join_workers();
}

void Scheduler::stop() noexcept {
  if (!started_) return;
  started_ = false;
  close_foreign_gate();
  stop_monitor();
  if (shared != nullptr) {
    remove_signal_handlers();
    remove_terminate_handler();
    context::remove_overflow_handler();
  }
  release_abandoned();
  for (Processor& processor : seam::registry.all_processors()) {
    if (processor.sched == nullptr) continue;
    seam::registry.collector->detach(processor);
    flush_descriptors(processor);
    delete processor.sched;
    processor.sched = nullptr;
  }
  seam::registry.stacks = nullptr;
  if (shared != nullptr && shared->simulated) stop_simulation();
  delete shared;  // unmaps the stacks
  shared = nullptr;
  detail::goroutines_in_parallel.store(true, std::memory_order_relaxed);
}

}  // namespace tandem::sched
