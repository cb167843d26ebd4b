#pragma once
// Debug builds: which std::mutexes (and std::shared_mutexes) a goroutine holds, so that a call that parks with one of them
// held is reported where it happens, each time, instead of hanging the program now and then.
//
// Why it may not: such a lock belongs to a thread, and the goroutine may go on on another one. And who wants it meanwhile
// blocks a thread together with its processor, which may be the one that its holder waits for.
//
//   L1  What is locked on a goroutine's stack is written down in its descriptor, by the goroutine itself: no thread_local, no
//       lock, and it follows the goroutine when a poll has moved it to another thread. What threads lock on their own stacks
//       (the program's other threads, the scheduler loop) is nobody's business here and is not written down.
//   L2  Reported is who parks or yields. A poll that preempts is no call that parks, neither is an allocation that waits for
//       the collector: a std::mutex may be held across both.
//   L3  The C library's functions are taken the place of, docs/decisions/held-locks.md says how and why.

#include <array>
#include <cstddef>
#include <cstdint>

#include "runtime/context/sanitizers.h"
#include "tandem/detail/checks.h"

namespace tandem::seam {

struct Goroutine;

/// The sanitizers take the place of the same functions.
inline constexpr bool kTracksHeldLocks = detail::kDebugChecks && !context::kFibersAreAnnounced;

/// One that is held, and the innermost callers of the function that locked it, the rest null.
struct HeldLock {
  static constexpr std::size_t kCallersMax = 6;
  const void* lock;
  const char* type;
  std::array<void*, kCallersMax> callers;
};

struct NoHeldLocks {};

/// In the order in which they were locked; one that is recursive as often as it was. What is locked beyond is not noticed.
struct HeldLocks {
  static constexpr std::size_t kLocksMax = 3;
  std::uint32_t count = 0;
  std::array<HeldLock, kLocksMax> locks;
};

/// Debug builds only: ends the process if the goroutine holds a lock. `call`: what it is about to wait for, or to do.
void report_held_lock(const Goroutine& self, const char* call);

/// At the beginning of what parks or yields.
[[gnu::always_inline]] inline void check_holds_no_lock([[maybe_unused]] const Goroutine& self,
                                                       [[maybe_unused]] const char* call) {
  if constexpr (kTracksHeldLocks) report_held_lock(self, call);
}

}  // namespace tandem::seam
