#pragma once
/// \file
/// make<T>(args...): a new managed object.

#include <type_traits>
#include <utility>

#include "tandem/detail/allocate.h"
#include "tandem/local.h"

namespace tandem {

/// Constructs a T on the managed heap with `args` (parentheses, or braces for aggregates) and returns its root. The
/// constructor may allocate and park. T holds its references as Members and visits them in trace() (see visitor.h).
/// A safepoint. On a goroutine only. Throws std::bad_alloc past Options::memory_limit after a full collection, and what
/// the constructor throws; then the object is freed without its destructor being run.
template <class T, class... Arguments>
[[nodiscard]] Local<T> make(Arguments&&... arguments) {
  static_assert(
      detail::Managed<T>,
      "T may hold references: give it `void trace(tandem::Visitor&) const` that visits each Member (one that a "
      "base declares does not count), or specialise tandem::is_leaf<T> as true");
  // Rooted before the constructor runs: it may allocate, and the zeroed cell is safe to scan.
  Local<T> root = Local<T>::loaded([] { return static_cast<T*>(detail::allocate_object<T>()); });
  void* const cell = root.raw();
  if constexpr (std::is_constructible_v<T, Arguments...>)
    ::new (cell) T(std::forward<Arguments>(arguments)...);
  else
    ::new (cell) T{std::forward<Arguments>(arguments)...};
  if constexpr (!std::is_trivially_destructible_v<T>) detail::mark_constructed(cell, &detail::destroy_object<T>);
  return root;
}

}  // namespace tandem
