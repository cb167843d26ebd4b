#pragma once
// Runs the destructors of condemned objects on a goroutine of the runtime's own. How far it has come never gates a cycle.

#include <atomic>
#include <cstdint>
#include <deque>

#include "gc/marker.h"
#include "runtime/base/spin_lock.h"

namespace tandem::gc {

class Finalizer {
 public:
  void begin_run();
  /// Hands a condemned cell over; from any worker, never parks.
  void add(CellRef cell);
  /// Starts the goroutine when there is work and none runs. At a safepoint, with no lock held.
  void start_if_needed();
  /// Runs what is queued here and now; for the end of a run.
  void drain();
  bool idle() const { return pending_.load(std::memory_order_acquire) == 0; }

 private:
  static void body(void* self);
  bool run_one();
  bool nothing_queued();

  base::SpinLock lock_;
  std::deque<CellRef> queue_;              // guarded by lock_
  std::atomic<std::uint64_t> pending_{0};  // queued or running
  std::atomic<bool> running_{false};       // the goroutine exists
};

extern Finalizer finalizer;

}  // namespace tandem::gc
