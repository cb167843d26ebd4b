#include "gc/finalizer.h"

#include <mutex>
#include <utility>

#include "gc/counters.h"
#include "runtime/seam/registry.h"
#include "runtime/seam/safepoint.h"
#include "runtime/seam/unhandled.h"
#include "tandem/cancelled.h"

namespace tandem::gc {

Finalizer finalizer;

namespace {

// What leaves a cleanup ends that cleanup alone: the finalizer goes on with the next. Two functions, as for goroutines
// (sched/entry.cpp): without a handler to call there is no clause for other exceptions, so that std::terminate is called
// where they are thrown.

void run_or_terminate(detail::Cleanup& cleanup) {
  try {
    cleanup.run();
  } catch (const Cancelled&) {
  }
}

void run_or_report(detail::Cleanup& cleanup) {
  try {
    cleanup.run();
  } catch (const Cancelled&) {
  } catch (...) {
    seam::report_unhandled(*seam::current_goroutine());
  }
}

}  // namespace

void Finalizer::begin_run() {
  queue_.clear();
  pending_.store(0, std::memory_order_relaxed);
  running_.store(false, std::memory_order_relaxed);
}

void Finalizer::add(Task task) {
  pending_.fetch_add(1, std::memory_order_relaxed);
  const std::lock_guard guard(lock_);
  queue_.push_back(std::move(task));
}

void Finalizer::destroy(CellRef cell) {
  region.block(cell.block).pattern->destroy(reinterpret_cast<void*>(address_of(cell)));
  const std::uint64_t bit = std::uint64_t{1} << (cell.index % 64);
  region.constructed(cell.block)[cell.index / 64].fetch_and(~bit, std::memory_order_relaxed);
  // Release: see Sweeper::condemn.
  region.condemned(cell.block)[cell.index / 64].fetch_and(~bit, std::memory_order_release);
}

void Finalizer::destroy(const CondemnedObject& condemned) {
  condemned.destroy(condemned.object);
  const std::lock_guard guard(lock_);
  std::erase(being_destroyed_, condemned.object);
}

bool Finalizer::run_one() {
  Task task;
  {
    const std::lock_guard guard(lock_);
    if (queue_.empty()) return false;
    task = std::move(queue_.front());
    queue_.pop_front();
    if (const auto* condemned = std::get_if<CondemnedObject>(&task)) being_destroyed_.push_back(condemned->object);
  }
  if (auto* cleanup = std::get_if<std::unique_ptr<detail::Cleanup>>(&task)) {
    if (seam::handles_unhandled())
      run_or_report(**cleanup);
    else
      run_or_terminate(**cleanup);
    cleanup->reset();  // what it captured goes before anybody is told that it is done
  } else if (const auto* condemned = std::get_if<CondemnedObject>(&task)) {
    destroy(*condemned);
  } else {
    destroy(std::get<CellRef>(task));
  }
  counters.finalized_objects.add(1);
  if (pending_.fetch_sub(1, std::memory_order_acq_rel) == 1) seam::registry.scheduler->recheck_waiters();
  return true;
}

bool Finalizer::nothing_queued() {
  const std::lock_guard guard(lock_);
  return queue_.empty();
}

void Finalizer::drain() {
  while (run_one()) {
  }
}

void Finalizer::body(void* self) {
  auto& mine = *static_cast<Finalizer*>(self);
  for (;;) {
    while (mine.run_one()) seam::poll();
    mine.running_.store(false, std::memory_order_seq_cst);
    // An add() may have come between the last look and the store above; whoever wins the flag goes on. One that comes after
    // this look sees the store, by way of the lock. Not idle(): at the end of a run another goroutine drains as well, and
    // what it has taken it also finishes.
    if (mine.nothing_queued() || mine.running_.exchange(true, std::memory_order_seq_cst)) return;
  }
}

void Finalizer::start_if_needed() {
  if (idle() || running_.load(std::memory_order_relaxed)) return;
  if (running_.exchange(true, std::memory_order_seq_cst)) return;
  seam::registry.scheduler->spawn_runtime_goroutine("finalizer", &Finalizer::body, this);
}

}  // namespace tandem::gc
