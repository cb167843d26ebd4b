#pragma once
// How goroutines are told to end: the exception Cancelled, and the shield against it.

#include <tandem/detail/words.h>

namespace tandem {

/// Thrown by calls that are documented to park when their goroutine has been cancelled: at the end of a run, or by its
/// TaskGroup. Not derived from std::exception, so that handlers of errors do not take it for one. A goroutine that swallows
/// it is thrown it again by its next such call. Never thrown while the goroutine unwinds or inside a CancellationShield.
class Cancelled {};

/// While one exists on a goroutine, parking calls of that goroutine do not throw Cancelled: for destructors and noexcept
/// functions that park. They nest. Created and destroyed by the same goroutine; without effect on other threads.
///
///   ~Session() {
///     tandem::CancellationShield shield;
///     connection_.flush();   // may park; finishes even when the run is ending
///   }
class CancellationShield {
 public:
  CancellationShield() noexcept;
  ~CancellationShield();
  CancellationShield(const CancellationShield&) = delete;
  CancellationShield& operator=(const CancellationShield&) = delete;

 private:
  detail::GoroutineWords* goroutine_;
};

}  // namespace tandem
