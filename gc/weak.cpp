// Weak references: making a handle, and getting a strong reference back from one.
//
// lock_weak() brings a reference from nowhere: the object may be unmarked, and nobody but the weak handle knows of it. While the
// cycle marks, it is shaded, and so that the end of marking cannot fall in between, under the lock that the commit
// takes: the commit either sees the shading as activity and marks on, or has come before, and then the mark bit is the
// truth. From the commit until its block is swept an unmarked object is dead; the sweep makes the handle null, under the lock
// of the block's shard. No cycle can end while we are here, nor a new one get as far as marking: each needs a safepoint
// of this processor.

#include "tandem/weak.h"

#include <mutex>

#include "gc/attachments.h"
#include "gc/boehm/boehm_heap.h"
#include "gc/persistent_roots.h"
#include "gc/planted_bugs.h"
#include "gc/sweeper.h"
#include "runtime/base/assert.h"
#include "runtime/seam/in_blocking.h"
#include "runtime/seam/phase.h"
#include "runtime/seam/registry.h"
#include "tandem/detail/indivisible.h"
#include "tandem/heap.h"
#include "tandem/make.h"

namespace tandem::gc {

namespace {

bool shade_if_marking(void* object, ProcessorState& state) {
  const auto marking = [] { return seam::is_marking(seam::current_phase()); };
  if (!marking()) return false;
  const std::lock_guard guard(persistent_roots.lock());
  if (!marking()) return false;
  if (!planted(PlantedBug::kNoShadeOfWeakLocks)) marker.shade(state, reinterpret_cast<std::uintptr_t>(object));
  return true;
}

void* target_if_alive(detail::WeakHandle& handle, CellRef cell) {
  const std::lock_guard guard(attachments.lock_of(cell.block));
  void* const target = handle.target.load(std::memory_order_acquire);
  if (target == nullptr) return nullptr;
  const bool swept = region.block(cell.block).swept_cycle >= sweeper.committed_cycle.load(std::memory_order_acquire);
  return swept || is_marked(cell) ? target : nullptr;
}

CellRef cell_of_object(const void* object) {
  return boehm::in_use ? boehm::key_of(object) : cell_of(reinterpret_cast<std::uintptr_t>(object));
}

seam::Goroutine& goroutine_here(const char* operation) {
  seam::Goroutine* const goroutine = seam::current_goroutine();
  if (goroutine == nullptr) base::fatal("%s was called on a thread that runs no goroutine", operation);
  if constexpr (detail::kDebugChecks) seam::refuse_in_blocking(*goroutine, operation);
  return *goroutine;
}

}  // namespace

}  // namespace tandem::gc

namespace tandem::detail {

using namespace tandem::gc;

void* lock_weak(WeakHandle& handle) noexcept {
  const Indivisible locking;
  const seam::Goroutine& goroutine = goroutine_here("lock() of a weak reference");
  void* const target = handle.target.load(std::memory_order_acquire);
  if (target == nullptr || boehm::in_use) return target;  // bdwgc collects while all goroutines stand still
  if (seam::current_phase() == seam::Phase::kIdle && sweeper.finished()) return target;
  if (shade_if_marking(target, *static_cast<seam::Processor*>(goroutine.processor)->gc)) return target;
  return target_if_alive(handle, cell_of_object(target));
}

Local<WeakHandle> weak_handle_of(void* object) {
  const Indivisible making;
  goroutine_here("a weak reference");
  const CellRef cell = cell_of_object(object);
  const auto existing = [&] {
    const std::lock_guard guard(attachments.lock_of(cell.block));
    return attachments.find_handle(cell, object);
  };
  // Marked in this cycle, if there is one, like every handle of an object that is reachable.
  if (WeakHandle* handle = existing()) return Local<WeakHandle>::from_raw(handle);
  Local<WeakHandle> fresh = make<WeakHandle>();
  fresh->target.store(object, std::memory_order_relaxed);
  // No safepoint between the two: a handle that was allocated white is attached before the handles are scanned.
  const std::lock_guard guard(attachments.lock_of(cell.block));
  if (WeakHandle* handle = attachments.find_handle(cell, object)) return Local<WeakHandle>::from_raw(handle);
  attachments.add_handle(cell, *fresh);
  return fresh;
}

void add_cleanup(void* object, std::unique_ptr<Cleanup> cleanup) {
  const Indivisible adding;
  goroutine_here("add_cleanup");
  if (object == nullptr) base::fatal("add_cleanup was called with a null reference");
  attachments.add_cleanup(cell_of_object(object), std::move(cleanup));
}

}  // namespace tandem::detail
