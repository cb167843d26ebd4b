#pragma once
// An open loop: operations are due at a constant rate whatever the system does, and the latency of each is
// counted from the moment at which it was due. A closed loop (send the next when the last has returned) would
// stop asking exactly while the system is slow, and so hide its worst moments: coordinated omission.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>

#include "lab/latency_histogram.h"

namespace lab {

// The end of the load, set once by whoever measures. Operations due before it are still carried out after it,
// late as they are, because leaving them out would again omit the slowest.
class LoadEnd {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  void set(TimePoint end) { end_ns_.store(end.time_since_epoch().count(), std::memory_order_relaxed); }

  // Relaxed: the time is all that is passed on, nothing else is read because of it.
  bool is_after(TimePoint due) const {
    return due.time_since_epoch().count() < end_ns_.load(std::memory_order_relaxed);
  }

 private:
  std::atomic<std::int64_t> end_ns_{std::numeric_limits<std::int64_t>::max()};
};

// Runs `operation()` at start, start + interval, start + 2 * interval ... as long as those lie before `end`.
// `clock` has now() and sleep_until(steady_clock::time_point); sleeping parks the calling goroutine.
template <typename Clock, typename Operation>
void run_open_loop(Clock& clock, LoadEnd::TimePoint start, std::chrono::nanoseconds interval, const LoadEnd& end,
                   LatencyHistogram& latency, Operation operation) {
  for (auto due = start; end.is_after(due); due += interval) {
    if (clock.now() < due) {
      clock.sleep_until(due);
      if (!end.is_after(due)) return;  // the end was set, to an earlier moment, while this one slept
    }
    operation();
    latency.record(static_cast<std::uint64_t>((clock.now() - due).count()));
  }
}

}  // namespace lab
