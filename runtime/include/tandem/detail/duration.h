#pragma once
// From std::chrono to the nanoseconds that the runtime counts in.

#include <chrono>
#include <cstdint>

namespace tandem::detail {

inline constexpr std::uint64_t kLongestNs = std::uint64_t{1} << 62;  // 146 years

/// Nanoseconds, rounded up (never early), negative ones as 0, without overflow.
template <class Rep, class Period>
constexpr std::uint64_t saturated_ns(const std::chrono::duration<Rep, Period>& duration) {
  using Duration = std::chrono::duration<Rep, Period>;
  if (!(duration > Duration::zero())) return 0;
  if (std::chrono::duration<double>(duration).count() * 1e9 >= static_cast<double>(kLongestNs)) return kLongestNs;
  return static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::nanoseconds>(duration).count());
}

/// base::now_ns(): steady_clock's, or virtual.
std::uint64_t runtime_now_ns() noexcept;

/// A point of time on the runtime's clock, CLOCK_MONOTONIC, which is steady_clock's: 0 for the past before
/// its epoch. Points of other clocks are converted by the distance from their now.
template <class Clock, class Duration>
std::uint64_t deadline_ns(const std::chrono::time_point<Clock, Duration>& time) {
  if constexpr (std::is_same_v<Clock, std::chrono::steady_clock>) {
    return saturated_ns(time.time_since_epoch());
  } else {
    return runtime_now_ns() + saturated_ns(time - Clock::now());
  }
}

inline std::chrono::steady_clock::time_point time_point_of(std::uint64_t ns) {
  return std::chrono::steady_clock::time_point(std::chrono::nanoseconds(ns));
}

}  // namespace tandem::detail
