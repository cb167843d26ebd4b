// Further stack segments of a goroutine. A segment is a context of its own: its entry swaps the goroutine's idea of its stack,
// so that parking, scanning, backtraces and overflow reports inside mean the segment; the chain of StackSegments makes the
// segments below it scannable.

#include <new>
#include <utility>

#include "runtime/context/context.h"
#include "runtime/seam/registry.h"
#include "sched/park.h"
#include "sched/shared.h"
#include "tandem/go.h"

namespace tandem::sched {

namespace {

/// Beyond what is asked for: guard, colour, and the frames of our own.
constexpr std::size_t kSegmentOverheadBytes = 16 << 10;

struct Call {
  Goroutine& self;
  void (*body)(void*) noexcept;
  void* argument;
  context::Stack stack;
  context::Context below{};  // where the caller waits
  context::Context above{};  // the segment; dead once the call has returned
  [[no_unique_address]] context::SanitizerFiber below_fiber{};
  [[no_unique_address]] context::SanitizerFiber fiber{};
};

void segment_entry(void* argument) {
  Call& call = *static_cast<Call*>(argument);
  Goroutine& self = call.self;
  context::after_switch(call.fiber);
  call.below_fiber = std::exchange(self.sanitizer_fiber, call.fiber);
  seam::StackSegment link{context::live_low(call.below), self.stack_base, self.segments};
  const context::Stack stack_below = std::exchange(self.stack, call.stack);
  self.stack_base = call.stack.high;
  self.segments = &link;

  call.body(call.argument);

  self.segments = link.outer;
  self.stack_base = link.scan_to;
  self.stack = stack_below;
  call.fiber = std::exchange(self.sanitizer_fiber, call.below_fiber);
  context::before_switch(call.fiber, call.below_fiber, true);
  context::switch_context(call.above, call.below);
  __builtin_unreachable();
}

}  // namespace

}  // namespace tandem::sched

namespace tandem::detail {

using namespace tandem::sched;

[[gnu::noinline]] std::size_t stack_bytes_left() {
  const Goroutine* const self = seam::current_goroutine();
  if (self == nullptr) return SIZE_MAX;
  return static_cast<std::size_t>(reinterpret_cast<std::byte*>(stack_pointer()) - self->stack.low);
}

[[gnu::noinline]] void run_on_segment(std::size_t bytes, void (*body)(void*) noexcept, void* argument) {
  Goroutine& self = running_goroutine("tandem::ensure_stack");
  if (bytes > context::kStackBytesMax - kSegmentOverheadBytes) throw std::bad_alloc();
  const context::Stack stack = processor_of(self).sched->stacks.allocate(bytes + kSegmentOverheadBytes);
  if (!stack) throw std::bad_alloc();
  context::unpoison_stack(stack.low, stack.high);
  shared->stacks.set_owner(stack, &self);
  Call call{self, body, argument, stack};
  context::announce_stack(call.fiber, stack.low, stack.usable_bytes(), self.name);
  context::prepare_context(call.above, stack.high, &segment_entry, &call);

  context::before_switch(self.sanitizer_fiber, call.fiber, false);
  context::switch_context(call.below, call.above);
  // Perhaps on another thread; `self` is the same.
  context::after_switch(self.sanitizer_fiber);

  context::destroy_fiber(call.fiber);
  // At the end of a run no stack is used again before all goroutines have ended; then the arena goes as a whole.
  if (!shared->ending.load(std::memory_order_relaxed)) processor_of(self).sched->stacks.free(stack);
}

}  // namespace tandem::detail
