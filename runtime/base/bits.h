// Arithmetic on powers of two.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace tandem::base {

template <std::unsigned_integral T>
constexpr bool is_power_of_two(T value) noexcept {
  return std::has_single_bit(value);
}

// `alignment` is a power of two; round_up wraps around if the result does not fit T.
template <std::unsigned_integral T>
constexpr T round_down(T value, std::type_identity_t<T> alignment) noexcept {
  return value & ~(alignment - 1);
}
template <std::unsigned_integral T>
constexpr T round_up(T value, std::type_identity_t<T> alignment) noexcept {
  return (value + (alignment - 1)) & ~(alignment - 1);
}

inline std::byte* round_down(std::byte* address, std::size_t alignment) noexcept {
  return reinterpret_cast<std::byte*>(round_down(reinterpret_cast<std::uintptr_t>(address), alignment));
}
inline std::byte* round_up(std::byte* address, std::size_t alignment) noexcept {
  return reinterpret_cast<std::byte*>(round_up(reinterpret_cast<std::uintptr_t>(address), alignment));
}

inline bool is_aligned(const void* address, std::size_t alignment) noexcept {
  return (reinterpret_cast<std::uintptr_t>(address) & (alignment - 1)) == 0;
}

// Quotient rounded up; divisor > 0.
template <std::unsigned_integral T>
constexpr T divide_round_up(T dividend, std::type_identity_t<T> divisor) noexcept {
  return dividend / divisor + (dividend % divisor != 0);
}

// Largest k with 2^k <= value, smallest k with 2^k >= value; value > 0.
template <std::unsigned_integral T>
constexpr unsigned log2_floor(T value) noexcept {
  return static_cast<unsigned>(std::bit_width(value)) - 1;
}
template <std::unsigned_integral T>
constexpr unsigned log2_ceil(T value) noexcept {
  return value <= 1 ? 0 : static_cast<unsigned>(std::bit_width(static_cast<T>(value - 1)));
}

}  // namespace tandem::base
