// A context with a stack of its own and the sanitizers' announcements: the smallest user of runtime/context,
// for its tests.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>

#include "runtime/base/assert.h"
#include "runtime/base/os_memory.h"
#include "runtime/context/context.h"
#include "runtime/context/sanitizers.h"

namespace tandem::context {

class Fiber {
 public:
  static constexpr std::size_t kBytes = 256 << 10;

  // The stack ends `top_offset` bytes early.
  explicit Fiber(std::size_t top_offset = 0)
      : memory_(base::reserve(kBytes, 4096, base::Access::read_write)), high_(memory_ + kBytes - top_offset) {
    adopt_thread(home_fiber_);
  }
  ~Fiber() {
    destroy_fiber(fiber_);
    unpoison_stack(memory_, memory_ + kBytes);
    base::release(memory_, kBytes);
  }
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  void start(std::function<void()> body) {
    body_ = std::move(body);
    start_raw(&Fiber::run_body);
  }
  void start_raw(void (*entry)(void*)) {
    done_ = false;
    announce_stack(fiber_, memory_, kBytes, "test fiber");
    prepare_context(context_, high_, entry, this);
  }

  // From outside; by any thread that has called adopt, or made the fiber.
  [[gnu::noinline]] void resume() { resume_inline(); }
  // The same in the caller's own code, where values may be in registers at the switch.
  [[gnu::always_inline]] inline void resume_inline() {
    before_switch(home_fiber_, fiber_, false);
    switch_context(home_, context_);
    after_switch(home_fiber_);
  }
  // By a thread that did not make the fiber, before its first resume.
  void adopt() { adopt_thread(home_fiber_); }

  // From inside.
  [[gnu::noinline]] void yield() { yield_inline(); }
  [[gnu::always_inline]] inline void yield_inline() {
    before_switch(fiber_, home_fiber_, false);
    switch_context(context_, home_);
    after_switch(fiber_);
  }

  bool done() const { return done_; }
  const Context& context() const { return context_; }
  std::byte* low() const { return memory_; }
  std::byte* high() const { return high_; }

 private:
  [[gnu::noinline]] static void run_body(void* argument) {
    auto* fiber = static_cast<Fiber*>(argument);
    after_switch(fiber->fiber_);
    fiber->body_();
    fiber->body_ = nullptr;
    fiber->done_ = true;
    before_switch(fiber->fiber_, fiber->home_fiber_, true);
    switch_context(fiber->context_, fiber->home_);
    base::fatal("a finished fiber was resumed");
  }

  std::byte* memory_;
  std::byte* high_;
  Context context_;
  Context home_;
  [[no_unique_address]] SanitizerFiber fiber_;
  [[no_unique_address]] SanitizerFiber home_fiber_;
  std::function<void()> body_;
  bool done_ = true;
};

}  // namespace tandem::context
