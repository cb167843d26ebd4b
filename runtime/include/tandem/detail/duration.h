#pragma once
// From std::chrono to the nanoseconds that the runtime counts in. Whatever the clock, the period and the representation: what is
// too far ahead for a 64-bit count is never, what is too far behind is over at once, and so is a NaN; nothing overflows.

#include <chrono>
#include <cstdint>
#include <type_traits>

namespace tandem::detail {

inline constexpr std::uint64_t kLongestNs = std::uint64_t{1} << 62;  // 146 years

__extension__ using Int128 = __int128;

enum class Rounding : std::uint8_t { kDown, kUp };

// Seconds at which wide_ns() saturates: 1.4e11 years, more than any calendar has, and 2^92 as nanoseconds.
inline constexpr Int128 kWidestSeconds = Int128{1} << 62;

/// Nanoseconds, rounded to whole ones; beyond kWidestSeconds either way, and for a NaN in the past, that.
template <class Floating>
constexpr Int128 wide_ns_of_floating(Floating seconds, Rounding rounding) {
  constexpr Int128 kWidestNs = kWidestSeconds * 1'000'000'000;
  if (!(seconds > -static_cast<Floating>(kWidestSeconds))) return -kWidestNs;  // a NaN too
  if (seconds >= static_cast<Floating>(kWidestSeconds)) return kWidestNs;
  const Floating ns = seconds * 1'000'000'000;
  const auto whole = static_cast<Int128>(ns);  // towards zero
  const auto back = static_cast<Floating>(whole);
  if (rounding == Rounding::kUp) return back < ns ? whole + 1 : whole;
  return back > ns ? whole - 1 : whole;
}

/// The same of `count` times numerator / denominator seconds. `count` has 64 bits at most, numerator
/// and denominator of a std::ratio have 63, so no product has more than 127.
constexpr Int128 wide_ns_of_integer(Int128 count, Int128 numerator, Int128 denominator, Rounding rounding) {
  const Int128 product = count * numerator;
  Int128 seconds = product / denominator;
  Int128 rest = product % denominator;
  if (rest < 0) {
    rest += denominator;
    --seconds;
  }
  if (seconds >= kWidestSeconds) return kWidestSeconds * 1'000'000'000;
  if (seconds < -kWidestSeconds) return -kWidestSeconds * 1'000'000'000;
  const Int128 up = rounding == Rounding::kUp ? denominator - 1 : 0;
  return seconds * 1'000'000'000 + (rest * 1'000'000'000 + up) / denominator;
}

template <class Rep, class Period>
constexpr Int128 wide_ns(const std::chrono::duration<Rep, Period>& duration, Rounding rounding) {
  if constexpr (std::is_integral_v<Rep> && sizeof(Rep) <= 8) {
    return wide_ns_of_integer(duration.count(), Period::num, Period::den, rounding);
  } else {
    using Floating = std::conditional_t<std::is_same_v<Rep, long double>, long double, double>;
    return wide_ns_of_floating(std::chrono::duration<Floating>(duration).count(), rounding);
  }
}

constexpr std::uint64_t saturated(Int128 ns) {
  if (ns <= 0) return 0;
  return ns >= static_cast<Int128>(kLongestNs) ? kLongestNs : static_cast<std::uint64_t>(ns);
}

/// Nanoseconds, rounded up (never early), negative ones and NaN as 0, kLongestNs at most.
template <class Rep, class Period>
constexpr std::uint64_t saturated_ns(const std::chrono::duration<Rep, Period>& duration) {
  constexpr std::intmax_t kPerSecond = 1'000'000'000;
  if constexpr (std::is_integral_v<Rep> && sizeof(Rep) <= 8 && kPerSecond % Period::den == 0 &&
                Period::num <= static_cast<std::intmax_t>(kLongestNs) / kPerSecond) {
    // All of std::chrono's own: a multiple of a nanosecond. No division.
    constexpr auto kFactor = static_cast<std::uint64_t>(Period::num * (kPerSecond / Period::den));
    if (!(duration.count() > Rep{})) return 0;
    const auto count = static_cast<std::uint64_t>(duration.count());
    return count > kLongestNs / kFactor ? kLongestNs : count * kFactor;
  } else {
    return saturated(wide_ns(duration, Rounding::kUp));
  }
}

/// base::now_ns(): steady_clock's, or virtual.
std::uint64_t runtime_now_ns() noexcept;

/// A point of time on the runtime's clock, CLOCK_MONOTONIC, which is steady_clock's: 0 for the past before
/// its epoch, kLongestNs at most. Points of other clocks are converted by the distance from their now; the two are subtracted
/// where neither can overflow, since a calendar's days reach further than a clock's own ticks.
template <class Clock, class Duration>
std::uint64_t deadline_ns(const std::chrono::time_point<Clock, Duration>& time) {
  if constexpr (std::is_same_v<Clock, std::chrono::steady_clock>) {
    return saturated_ns(time.time_since_epoch());
  } else {
    const Int128 clock_now = wide_ns(Clock::now().time_since_epoch(), Rounding::kDown);
    const Int128 now = static_cast<Int128>(runtime_now_ns());
    return saturated(now + (wide_ns(time.time_since_epoch(), Rounding::kUp) - clock_now));
  }
}

inline std::chrono::steady_clock::time_point time_point_of(std::uint64_t ns) {
  return std::chrono::steady_clock::time_point(std::chrono::nanoseconds(ns));
}

}  // namespace tandem::detail
