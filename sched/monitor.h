#pragma once
// The monitor: a thread without a processor that looks at the workers from outside and does what they cannot do for
// themselves.

#include "runtime/seam/processor.h"

namespace tandem::sched {

using seam::Processor;

void start_monitor();
/// Its thread ends; the calls below are harmless afterwards. Idempotent.
void halt_monitor();
void stop_monitor();

/// The monitor sleeps without looking when everything has been idle for a while: called when a processor is driven again.
void wake_monitor_if_deep_asleep();

/// A processor that is needed is with a blocked worker: the monitor should look within some tens of microseconds.
void hurry_monitor();

/// A timer was armed for this time while nobody watches: the monitor does not sleep past it. The rule is I4 of idle.h, with the
/// monitor in the place of the watcher: it announces how long it will sleep, then reads the timers.
void wake_monitor_before(std::uint64_t when_ns);

/// Async-signal-safe: makes the monitor print the goroutine dump.
void request_dump() noexcept;

/// Would anything run on the processor of a blocked worker, or be noticed by whoever drives it?
bool is_needed(const Processor& processor);

/// blocking.cpp: takes a processor that had this status, blocked, from its worker and hands it on. False: it has returned
/// meanwhile.
bool retake_processor(Processor& processor, seam::ProcessorStatus blocked);

}  // namespace tandem::sched
