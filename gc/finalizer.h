#pragma once
// Runs the destructors of condemned objects, and cleanups, on a goroutine of the runtime's own, in the order in which they came.
// How far it has come never gates a cycle.

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <variant>

#include "gc/marker.h"
#include "runtime/base/spin_lock.h"
#include "tandem/detail/cleanup.h"

namespace tandem::gc {

class Finalizer {
 public:
  void begin_run();
  using Task = std::variant<CellRef, std::unique_ptr<detail::Cleanup>>;

  /// Hands a condemned cell or a cleanup over; from any worker, never parks.
  void add(Task task);
  /// Starts the goroutine when there is work and none runs. At a safepoint, with no lock held.
  void start_if_needed();
  /// Runs what is queued here and now; for the end of a run.
  void drain();
  bool idle() const { return pending_.load(std::memory_order_acquire) == 0; }

 private:
  static void body(void* self);
  bool run_one();
  void destroy(CellRef cell);
  bool nothing_queued();

  base::SpinLock lock_;
  std::deque<Task> queue_;                 // guarded by lock_
  std::atomic<std::uint64_t> pending_{0};  // queued or running
  std::atomic<bool> running_{false};       // the goroutine exists
};

extern Finalizer finalizer;

}  // namespace tandem::gc
