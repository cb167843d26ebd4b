#pragma once
// The monitor: a thread without a processor that looks at the workers from outside and does what they cannot do for
// themselves.

#include <cstdint>

namespace tandem::sched {

struct Worker;

void start_monitor();
/// Its thread ends; the calls below are harmless afterwards. Idempotent.
void halt_monitor();
void stop_monitor();

/// The monitor sleeps without looking when everything has been idle for a while: called when a processor is driven again.
void wake_monitor_if_deep_asleep();

/// A goroutine has entered blocking(f): the monitor should look within some tens of microseconds.
void hurry_monitor();

/// A timer was armed for this time while nobody watches: the monitor does not sleep past it. The rule is I4 of idle.h, with the
/// monitor in the place of the watcher: it announces how long it will sleep, then reads the timers.
void wake_monitor_before(std::uint64_t when_ns);

/// Async-signal-safe: makes the monitor print the goroutine dump.
void request_dump() noexcept;

/// blocking.cpp: takes the processor of a worker in blocking(f) and hands it on. False: it has returned meanwhile.
bool retake_processor(Worker& worker);

}  // namespace tandem::sched
