#pragma once
// Timers: a wheel per processor (timer_wheel.h), under its spin lock, expired by the processor itself, by thieves and by idle
// workers. Time is base::now_ns() (CLOCK_MONOTONIC, as std::chrono::steady_clock); never early.

#include <atomic>
#include <cstdint>

#include "runtime/seam/processor.h"

namespace tandem::sched {

using seam::Processor;

/// A timer, embedded in what waits for it (a stack frame, a Timer object). Not moved while armed.
struct TimerNode {
  std::uint64_t when_ns = 0;
  /// Runs on a worker once the time has come, outside the wheel's lock; may call ready() and spawn; must not park.
  void (*fire)(TimerNode& node, Processor& here) = nullptr;
  // -- Owned by timers.cpp.
  std::atomic<Processor*> armed_on{nullptr};  // null: not armed
  std::uint32_t entry = 0;                    // in that processor's wheel
  std::atomic<bool> firing{false};
};

/// Arms the timer on `here`. The node must not be armed.
void arm(TimerNode& node, std::uint64_t when_ns, Processor& here);

/// Takes the timer out. True: it had not fired and will not. False: it has fired; its callback has returned (waits for it,
/// a few hundred nanoseconds at most), so the node may be destroyed. From any goroutine.
bool disarm(TimerNode& node);

}  // namespace tandem::sched
