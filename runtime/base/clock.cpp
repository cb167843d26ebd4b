#include "runtime/base/clock.h"

#include <ctime>

namespace tandem::base {
namespace {

std::uint64_t read_clock(clockid_t clock) noexcept {
  timespec time;
  ::clock_gettime(clock, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(time.tv_nsec);
}

}  // namespace

std::uint64_t now_ns() noexcept { return read_clock(CLOCK_MONOTONIC); }

std::uint64_t cpu_time_ns() noexcept { return read_clock(CLOCK_THREAD_CPUTIME_ID); }

}  // namespace tandem::base
