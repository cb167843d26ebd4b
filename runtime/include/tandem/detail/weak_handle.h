#pragma once
// What weak references share: a small managed object per target, which the target keeps alive and which becomes null when the
// target is collected. A weak reference is an ordinary reference to it, so the marker knows nothing of weakness. Go's
// internal/weak does the same.

#include <atomic>

#include "tandem/local.h"
#include "tandem/visitor.h"

namespace tandem::detail {

struct WeakHandle {
  std::atomic<void*> target{nullptr};
};
static_assert(kIsLeaf<WeakHandle>);

/// The handle of `object`, which the caller keeps reachable: the same one for every call. A safepoint. On a goroutine only.
/// Throws std::bad_alloc.
Local<WeakHandle> weak_handle_of(void* object);

/// Its target, or null once that has been found unreachable. The caller roots it before the next poll. On a goroutine only.
void* lock_weak(WeakHandle& handle) noexcept;

}  // namespace tandem::detail
