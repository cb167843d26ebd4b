#pragma once
// What the runtime keeps of a callable whose type it does not know.

#include <typeinfo>

namespace tandem::detail {

/// What a closure runs, by which traces name it: itself, or what it wraps.
template <typename Function>
struct Called {
  using Type = Function;
};

/// How a closure is run and destroyed; one constant per closure type.
struct ClosureOperations {
  void (*invoke)(void* closure);
  void (*destroy)(void* closure) noexcept;
  const std::type_info* type = nullptr;  ///< of the callable, for traces; null: unknown
};

}  // namespace tandem::detail
