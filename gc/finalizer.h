#pragma once
// Runs the destructors of condemned objects, and cleanups, on a goroutine of the runtime's own, in the order in which they came.
// How far it has come never gates a cycle.

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <variant>
#include <vector>

#include "gc/marker.h"
#include "runtime/base/spin_lock.h"
#include "tandem/detail/cleanup.h"
#include "tandem/detail/layout.h"

namespace tandem::gc {

/// An object of bdwgc's heap, and its destructor.
struct CondemnedObject {
  void* object = nullptr;
  detail::DestroyFunction destroy = nullptr;
};

class Finalizer {
 public:
  void begin_run();
  using Task = std::variant<CellRef, std::unique_ptr<detail::Cleanup>, CondemnedObject>;

  /// Hands a condemned cell or a cleanup over; from any worker, never parks.
  void add(Task task);
  /// Starts the goroutine when there is work and none runs. At a safepoint, with no lock held.
  void start_if_needed();
  /// Runs what is queued here and now; for the end of a run.
  void drain();
  /// Calls function(object) for each CondemnedObject whose destructor has not returned: roots of bdwgc.
  template <class Function>
  void for_each_condemned(Function function);
  bool idle() const { return pending_.load(std::memory_order_acquire) == 0; }

 private:
  static void body(void* self);
  bool run_one();
  void destroy(CellRef cell);
  void destroy(const CondemnedObject& condemned);
  bool nothing_queued();

  base::SpinLock lock_;
  std::deque<Task> queue_;                 // guarded by lock_
  std::vector<void*> being_destroyed_;     // guarded by lock_: CondemnedObjects whose destructor is running
  std::atomic<std::uint64_t> pending_{0};  // queued or running
  std::atomic<bool> running_{false};       // the goroutine exists
};

extern Finalizer finalizer;

template <class Function>
void Finalizer::for_each_condemned(Function function) {
  const std::lock_guard guard(lock_);
  for (const Task& task : queue_)
    if (const auto* condemned = std::get_if<CondemnedObject>(&task)) function(condemned->object);
  for (void* object : being_destroyed_) function(object);
}

}  // namespace tandem::gc
