// Time, in nanoseconds.
//
// By the kernel's vDSO, without a system call. A conversion of the time-stamp counter of our own, renewed every
// millisecond so that it is never ahead of the kernel's, was built and measured: no faster (54 against 51 ns on
// the same loaded machine; reading the counter in order is the cost, and the vDSO does the same), hence dropped.
#pragma once

#include <cstdint>

namespace tandem::base {

// Monotonic, std::chrono::steady_clock's epoch and rate: what is due by now_ns is due by steady_clock, so timers
// are never early. Any thread, async-signal-safe. While time is virtual, it stands still but for a tick of 100 ns at each call:
// what works until some time has passed comes to an end, and does the same each time.
std::uint64_t now_ns() noexcept;

// The same when time is not virtual, and always real. For threads that look at a run from outside.
std::uint64_t real_now_ns() noexcept;

// From now_ns() on time is virtual, for the whole process, until stop_virtual_time(). By the one who starts and ends the run.
void start_virtual_time() noexcept;
void stop_virtual_time() noexcept;
bool time_is_virtual() noexcept;
// To this time, unless it has passed. Only while time is virtual.
void advance_virtual_time(std::uint64_t to_ns) noexcept;

// Processor time that the calling thread has used. A system call.
std::uint64_t cpu_time_ns() noexcept;

}  // namespace tandem::base
