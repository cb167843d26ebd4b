#include "runtime/base/clock.h"

#include <atomic>
#include <ctime>

namespace tandem::base {
namespace {

std::uint64_t read_clock(clockid_t clock) noexcept {
  timespec time;
  ::clock_gettime(clock, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(time.tv_nsec);
}

constexpr std::uint64_t kTickNs = 100;
std::atomic<std::uint64_t> virtual_now_ns{0};  // 0: time is real

}  // namespace

std::uint64_t now_ns() noexcept {
  if (time_is_virtual()) [[unlikely]]
    return virtual_now_ns.fetch_add(kTickNs, std::memory_order_relaxed) + kTickNs;
  return real_now_ns();
}

std::uint64_t real_now_ns() noexcept { return read_clock(CLOCK_MONOTONIC); }

void start_virtual_time() noexcept { virtual_now_ns.store(real_now_ns(), std::memory_order_relaxed); }
void stop_virtual_time() noexcept { virtual_now_ns.store(0, std::memory_order_relaxed); }
bool time_is_virtual() noexcept { return virtual_now_ns.load(std::memory_order_relaxed) != 0; }

void advance_virtual_time(std::uint64_t to_ns) noexcept {
  if (virtual_now_ns.load(std::memory_order_relaxed) < to_ns) virtual_now_ns.store(to_ns, std::memory_order_relaxed);
}

std::uint64_t cpu_time_ns() noexcept { return read_clock(CLOCK_THREAD_CPUTIME_ID); }

}  // namespace tandem::base
