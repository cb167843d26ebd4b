#include "sched/goroutine_snapshot.h"

#include <mutex>
#include <typeinfo>

#include "runtime/seam/registry.h"
#include "sched/shared.h"
#include "sched/spawn.h"

namespace tandem::sched {

namespace {

/// Only compared: a descriptor that is dead points to a processor of a run that is over.
std::uint32_t index_of(const Processor* processor) {
  for (const Processor& each : seam::registry.all_processors())
    if (&each == processor) return each.index;
  return 0;
}

/// Reading what may change meanwhile is a race that is wanted: a report must not stop anybody. What is read through a
/// pointer lives as long as the process.
[[gnu::noinline, gnu::no_sanitize_thread]] GoroutineSnapshot read(const Goroutine& goroutine) {
  GoroutineSnapshot snapshot;
  snapshot.state =
      static_cast<seam::GoroutineState>(goroutine.state.load(std::memory_order_acquire) & seam::kStateMask);
  if (snapshot.state == seam::kDead) return snapshot;
  snapshot.id = goroutine.id;
  snapshot.processor = index_of(static_cast<const Processor*>(goroutine.processor));
  snapshot.wait_reason = goroutine.wait_reason;
  const seam::ClosureOperations* const operations = goroutine.closure_operations;
  if (operations != nullptr && operations->type != nullptr) snapshot.type = operations->type->name();
  if (flags_of(goroutine) & seam::kFirstGoroutine) snapshot.name = "main";
  const std::lock_guard guard(shared->name_lock);  // the name is not freed while we copy it
  if (goroutine.name != nullptr) snapshot.name = goroutine.name;
  return snapshot;
}

}  // namespace

std::vector<GoroutineSnapshot> snapshot_goroutines() {
  std::vector<GoroutineSnapshot> all;
  seam::GoroutineTable& table = seam::registry.goroutines;
  for (std::size_t index = 0; index < table.used(); ++index) {
    GoroutineSnapshot snapshot = read(table.at(index));
    if (snapshot.state != seam::kDead) all.push_back(std::move(snapshot));
  }
  return all;
}

}  // namespace tandem::sched
