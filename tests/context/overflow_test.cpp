#include "runtime/context/overflow.h"

#include <csignal>
#include <gtest/gtest.h>
#include <thread>

#include "runtime/base/assert.h"
#include "runtime/context/context.h"
#include "runtime/context/sanitizers.h"

namespace tandem::context {
namespace {

struct NamedGoroutine : detail::GoroutineWords {
  std::uint64_t id;
  const char* name;
};

detail::StackMap map;
StackArena arena{map};

void report(detail::GoroutineWords* owner, void* address) {
  auto* goroutine = static_cast<NamedGoroutine*>(owner);
  if (overflow_position().pc == nullptr) base::fatal_from_signal("no position");
  if (goroutine == nullptr) base::fatal_from_signal("no owner");
  report_overflow_and_exit(goroutine->id, goroutine->name, arena.stack_containing(address).slot_bytes());
}

// Not a tail call, and each frame is touched. The end is never reached.
[[gnu::noinline]] int recurse(int depth) {
  volatile char frame[512];
  frame[0] = static_cast<char>(depth);
  if (depth == 1'000'000'000) return 0;
  const int below = recurse(depth + 1);
  return below + frame[0];
}

// Volatile, so that the compiler does not see where it points.
int* volatile unmapped = reinterpret_cast<int*>(std::uintptr_t{64});

struct Run {
  Context context, home;
  [[no_unique_address]] SanitizerFiber fiber, home_fiber;
  void (*body)();
};

[[gnu::noinline]] void run_on(const Stack& stack, void (*body)()) {
  Run run;
  run.body = body;
  adopt_thread(run.home_fiber);
  announce_stack(run.fiber, stack.low, stack.usable_bytes(), "overflowing");
  prepare_context(
      run.context, stack.high,
      [](void* argument) {
        auto* self = static_cast<Run*>(argument);
        after_switch(self->fiber);
        self->body();
        before_switch(self->fiber, self->home_fiber, true);
        switch_context(self->context, self->home);
      },
      &run);
  before_switch(run.home_fiber, run.fiber, false);
  switch_context(run.home, run.context);
  after_switch(run.home_fiber);
  destroy_fiber(run.fiber);
}

void overflow_as(std::uint64_t id, const char* name, std::size_t stack_bytes, bool allow_guard_markers) {
  if (!arena.open({.reservation_bytes = std::size_t{1} << 30, .allow_guard_markers = allow_guard_markers})) return;
  install_overflow_handler(arena, report);
  if (!install_thread_signal_stack()) return;
  NamedGoroutine goroutine;
  goroutine.id = id;
  goroutine.name = name;
  const Stack stack = arena.allocate(stack_bytes);
  arena.set_owner(stack, &goroutine);
  run_on(stack, [] { recurse(0); });
}

TEST(OverflowDeathTest, NamesTheGoroutineAndTheRemedy) {
  EXPECT_EXIT(overflow_as(17, "parser", 256 << 10, true), testing::ExitedWithCode(2),
              "^fatal: goroutine 17 \\(parser\\) overflowed its stack of 256 KiB \\(stack_size_max\\).*"
              "GoOptions::stack_size_max or ensure_stack");
}

TEST(OverflowDeathTest, WorksWithMappedGuardsAndWithoutAName) {
  EXPECT_EXIT(overflow_as(3, nullptr, 1 << 20, false), testing::ExitedWithCode(2),
              "^fatal: goroutine 3 overflowed its stack of 1024 KiB");
}

TEST(OverflowDeathTest, WorksOnAThreadThatInstalledItsSignalStack) {
  const auto die = [] { std::thread([] { overflow_as(4, "on a thread", 64 << 10, true); }).join(); };
  EXPECT_EXIT(die(), testing::ExitedWithCode(2), "goroutine 4 \\(on a thread\\) overflowed its stack of 64 KiB");
}

TEST(OverflowDeathTest, OtherFaultsGoToThePreviousHandler) {
  const auto die = [] {
    struct sigaction action{};
    action.sa_handler = [](int) { base::fatal_from_signal("the previous handler"); };
    sigaction(SIGSEGV, &action, nullptr);
    install_overflow_handler(arena, report);
    *unmapped = 1;
  };
  EXPECT_EXIT(die(), testing::ExitedWithCode(2), "^fatal: the previous handler\n$");
}

TEST(OverflowDeathTest, OtherFaultsDieAsUsual) {
  const auto die = [](bool sent) {
    std::signal(SIGSEGV, SIG_DFL);
    install_overflow_handler(arena, report);
    if (sent) raise(SIGSEGV);
    *unmapped = 1;
  };
  EXPECT_EXIT(die(false), testing::KilledBySignal(SIGSEGV), "");
  EXPECT_EXIT(die(true), testing::KilledBySignal(SIGSEGV), "");
}

TEST(Overflow, HandlerAndSignalStackAreRemovedWithoutTrace) {
  struct sigaction before{}, after{};
  stack_t stack_before{}, stack_during{}, stack_after{};
  std::thread([&] {
    sigaction(SIGSEGV, nullptr, &before);
    sigaltstack(nullptr, &stack_before);
    install_overflow_handler(arena, report);
    ASSERT_TRUE(install_thread_signal_stack());
    ASSERT_TRUE(install_thread_signal_stack());  // keeps the one there is
    sigaltstack(nullptr, &stack_during);
    remove_thread_signal_stack();
    remove_overflow_handler();
    sigaction(SIGSEGV, nullptr, &after);
    sigaltstack(nullptr, &stack_after);
  }).join();
  EXPECT_EQ(before.sa_handler, after.sa_handler);
  EXPECT_EQ(stack_during.ss_flags & SS_DISABLE, 0);
  EXPECT_EQ(stack_before.ss_sp, stack_after.ss_sp);
  EXPECT_EQ(stack_before.ss_flags, stack_after.ss_flags);
}

}  // namespace
}  // namespace tandem::context
