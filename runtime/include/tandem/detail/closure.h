#pragma once
// What the runtime keeps of a callable whose type it does not know.

namespace tandem::detail {

/// How a closure is run and destroyed; one constant per closure type.
struct ClosureOperations {
  void (*invoke)(void* closure);
  void (*destroy)(void* closure) noexcept;
};

}  // namespace tandem::detail
