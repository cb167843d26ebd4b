// Turns a hit of a stack's guard page into a report of that goroutine's stack overflow.
//
// A handler for SIGSEGV and SIGBUS runs on an alternate stack (the goroutine's own has no room left), one per
// thread that runs goroutines. Faults elsewhere go to the handler that was installed before, or to the
// default action, as if we were not there.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/base/backtrace.h"
#include "runtime/context/stack.h"

namespace tandem::context {

// Called in signal context; must not return: it prints (report_overflow_and_exit, base::fatal_from_signal)
// and so ends the process. `owner` is the goroutine that the slot belongs to, null if it has none at the
// moment; `address` is what it tried to touch.
using OverflowReporter = void (*)(detail::GoroutineWords* owner, void* address);

// Where the goroutine was, for a backtrace; only inside the reporter.
base::FramePosition overflow_position() noexcept;

// Process-wide; not while goroutines run. `arena` must outlive the handler. A second call replaces arena and
// reporter.
void install_overflow_handler(const StackArena& arena, OverflowReporter reporter) noexcept;
// Puts the previous handlers back, if ours are still the installed ones.
void remove_overflow_handler() noexcept;

// What a reporter ends with: the message, naming the goroutine (name may be null or empty), and exit status
// 2.
[[noreturn]] void report_overflow_and_exit(std::uint64_t goroutine_id, const char* name,
                                           std::size_t stack_bytes) noexcept;

// Each thread that runs goroutines, once, before the first. Keeps an alternate stack that is already
// installed (a sanitizer's, the user's) if it is large enough. Throws nothing; false: no memory, overflows on
// this thread then die with a bare SIGSEGV.
bool install_thread_signal_stack() noexcept;
// By the same thread before it ends.
void remove_thread_signal_stack() noexcept;

}  // namespace tandem::context
