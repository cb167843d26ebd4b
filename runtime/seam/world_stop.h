#pragma once
// stop = stop_the_world: the same cycle, but a processor that reaches the first safepoint of it is held there, doing mark
// work, until the cycle has ended. With stop = ragged nothing here ever runs, and longest_all_stopped_ns stays 0: a
// "stop" is a processor held waiting for another one.

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "runtime/base/histogram.h"
#include "runtime/seam/processor.h"

namespace tandem::seam {

class WorldStop {
 public:
  /// Asks every processor to stay at its next safepoint. By the worker that starts a cycle. Who acknowledges a handshake that
  /// is requested after it does nothing more for its goroutine before it is held: `active` is stored before the number of
  /// that handshake, which is read by acquire, and serve_requests() looks at it after having acknowledged.
  void begin();
  /// Every processor has reached its safepoint (or has no worker): the clock of "all stopped" starts.
  void all_reached();
  /// Releases them.
  void end();
  /// The run is over: nobody is held any more, although a stop may just have begun that will never have all processors.
  void close();

  bool active() const { return active_.load(std::memory_order_acquire) != 0; }
  /// Stays until released, acknowledging handshakes and doing collector work; sleeps when there is neither, so that with more
  /// processors than CPUs the few that have something to do get them. Called at a safepoint.
  void hold(Processor& processor);
  /// There is something for those who are held: a handshake, or `pieces` of collector work, worth waking as many. Nothing
  /// when nobody is held. By any worker, after it has published what there is.
  void rouse(std::size_t pieces);

  std::uint64_t longest_all_stopped_ns() const { return longest_ns_.load(std::memory_order_relaxed); }
  std::uint64_t times_held() const { return times_held_.load(std::memory_order_relaxed); }
  void reset();  // boot only

 private:
  void wake_held(std::size_t processors);

  std::atomic<std::uint32_t> active_{0};
  std::atomic<bool> closed_{false};
  std::atomic<std::uint32_t> events_{0};  // counts what those who are held may have slept through
  std::atomic<std::uint64_t> reached_at_ns_{0};
  std::atomic<std::uint64_t> longest_ns_{0};
  std::atomic<std::uint64_t> times_held_{0};
};

}  // namespace tandem::seam
