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

/// What comes after a goroutine that has ended: one that never ran goes on here, on the same stack, without a switch, and
/// is returned. Else this does not return.
[[gnu::noinline]] Goroutine& follow(Goroutine& ended) {
  Processor& here = processor_of(ended);
  Goroutine* const next = take_direct_unprepared(here);
  if (next != nullptr && next->context.sp == nullptr) {
    if (hand_stack_on(ended, *next, here)) return *next;
    prepare_first_run(*next, here);
  }
  switch_to(ended, here, next, Leaving::kEnd, nullptr);
  __builtin_unreachable();
}

}  // namespace

std::uint64_t stack_bytes_of(const Goroutine& goroutine) {
  return goroutine.flags & seam::kOwnStackSize ? goroutine.stack_size_max : shared->stack_bytes_max;
}

void prepare_first_run(Goroutine& goroutine, Processor& here) {
  const std::uint64_t bytes = stack_bytes_of(goroutine);
  goroutine.stack = here.sched->stacks.allocate(bytes);
  if (!goroutine.stack) [[unlikely]]
    base::fatal("no memory for the stack of goroutine %llu: %llu goroutines are alive, stack_size_max is %llu bytes",
                static_cast<unsigned long long>(goroutine.id), static_cast<unsigned long long>(live_goroutines()),
                static_cast<unsigned long long>(bytes));
  context::unpoison_stack(goroutine.stack.low, goroutine.stack.high);
  shared->stacks.set_owner(goroutine.stack, &goroutine);
  goroutine.stack_base = goroutine.stack.high;
  goroutine.indivisible_depth = 0;
  context::announce_stack(goroutine.sanitizer_fiber, goroutine.stack.low, goroutine.stack.usable_bytes(),
                          goroutine.name);
  context::prepare_context(goroutine.context, goroutine.stack.high, &goroutine_entry, &goroutine);
}

void goroutine_entry(void* goroutine, void* left, void* how, void* argument) {
  auto* self = static_cast<Goroutine*>(goroutine);
  context::after_switch(self->sanitizer_fiber);
  finish_switch({left, how, argument}, processor_of(*self));
  for (;;) {
    *processor_of(*self).worker->cxx.errno_location = 0;
    run_closure(*self);
    if (self->flags & seam::kFirstGoroutine) [[unlikely]]
      end_run(*self);
    self = &follow(*self);
  }
}

}  // namespace tandem::sched
