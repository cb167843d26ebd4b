#pragma once
// TANDEM_SCHEDTRACE: a thread that prints a line about the scheduler on stderr, once a period.

#include <chrono>

#include "runtime/base/os_thread.h"
#include "runtime/base/parker.h"

namespace tandem::boot {

class SchedTrace {
 public:
  SchedTrace() = default;
  ~SchedTrace() { stop(); }
  SchedTrace(const SchedTrace&) = delete;
  SchedTrace& operator=(const SchedTrace&) = delete;

  /// While a run is active. A period of 0 starts nothing. Throws std::system_error when there is no thread to
  /// be had.
  void start(std::chrono::milliseconds period);
  /// Idempotent. Not with active_run.lock held.
  void stop() noexcept;

 private:
  base::Parker parker_;  // unparked once, to end it
  base::Thread thread_;
};

}  // namespace tandem::boot
