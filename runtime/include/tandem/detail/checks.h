#pragma once
// Checks of where references live, in builds with TANDEM_DEBUG_CHECKS=1; nothing otherwise.

namespace tandem::detail {

/// Aborts unless `slot` lies on a goroutine's stack or in a closure that the runtime keeps.
void check_local_place(const void* slot);
/// Aborts unless `slot` lies in the managed heap, or in a Rooted (a traced aggregate on a stack).
void check_member_place(const void* slot);

#if defined(TANDEM_DEBUG_CHECKS) && TANDEM_DEBUG_CHECKS
inline constexpr bool kDebugChecks = true;
#else
inline constexpr bool kDebugChecks = false;
#endif

}  // namespace tandem::detail
