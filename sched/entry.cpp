// The first and the last function on a goroutine's stack.

#include "runtime/base/assert.h"
#include "runtime/context/stack.h"
#include "runtime/seam/registry.h"
#include "sched/direct_switch.h"
#include "sched/ending.h"
#include "sched/shared.h"
#include "sched/spawn.h"
#include "tandem/cancelled.h"

namespace tandem::sched {

namespace {

/// No clause for other exceptions here: without one the C++ runtime finds no handler, does not unwind, and calls
/// std::terminate where the exception was thrown, so that the report has the backtrace that matters (unhandled.cpp).
[[gnu::noinline]] void invoke_or_terminate(Goroutine& self) {
  try {
    self.closure_operations->invoke(self.closure);
  } catch (const Cancelled&) {
  }
}

[[gnu::noinline]] void invoke_or_report(Goroutine& self) {
  try {
    self.closure_operations->invoke(self.closure);
  } catch (const Cancelled&) {
  } catch (...) {
    shared->on_unhandled_goroutine(self);
  }
}

[[gnu::noinline]] void run_closure(Goroutine& self) {
  // One that was cancelled before it started never runs; its closure is destroyed like any other's.
  if (self.cancel_requested.load(std::memory_order_relaxed) == 0 || (self.flags & seam::kFirstGoroutine)) {
    if (shared->on_unhandled_goroutine == nullptr)
      invoke_or_terminate(self);
    else
      invoke_or_report(self);
  }
  self.closure_operations->destroy(self.closure);
}

}  // namespace

void prepare_first_run(Goroutine& goroutine, Processor& here) {
  const std::uint64_t bytes = goroutine.stack_size_max != 0 ? goroutine.stack_size_max : shared->stack_bytes_max;
  goroutine.stack = here.sched->stacks.allocate(bytes);
  if (!goroutine.stack) [[unlikely]]
    base::fatal("no memory for the stack of goroutine %llu: %llu goroutines are alive, stack_size_max is %llu bytes",
                static_cast<unsigned long long>(goroutine.id), static_cast<unsigned long long>(live_goroutines()),
                static_cast<unsigned long long>(bytes));
  context::unpoison_stack(goroutine.stack.low, goroutine.stack.high);
  shared->stacks.set_owner(goroutine.stack, &goroutine);
  goroutine.stack_base = goroutine.stack.high;
  context::announce_stack(goroutine.sanitizer_fiber, goroutine.stack.low, goroutine.stack.usable_bytes(),
                          goroutine.name);
  context::prepare_context(goroutine.context, goroutine.stack.high, &goroutine_entry, &goroutine);
}

void goroutine_entry(void* goroutine, void* left, void* how, void* argument) {
  Goroutine& self = *static_cast<Goroutine*>(goroutine);
  context::after_switch(self.sanitizer_fiber);
  finish_switch({left, how, argument}, processor_of(self));
  *processor_of(self).worker->cxx.errno_location = 0;
  run_closure(self);
  if (self.flags & seam::kFirstGoroutine) [[unlikely]]
    end_run(self);
  leave(self, Leaving::kEnd);
  __builtin_unreachable();
}

}  // namespace tandem::sched
