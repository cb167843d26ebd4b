#include "gc/persistent_roots.h"

#include <mutex>

#include "gc/marker.h"
#include "runtime/seam/phase.h"
#include "tandem/detail/barrier.h"

namespace tandem::gc {

// Never destroyed: Persistents in globals may be destroyed after it would have been.
PersistentRoots& persistent_roots = *new PersistentRoots;

// Old and new values are shaded like those of any store, into a buffer of its own that the end of marking counts.
void PersistentRoots::shade(void* object) {
  if (object == nullptr || seam::current_phase() < seam::Phase::kBarrier || seam::current_phase() > seam::Phase::kFlush)
    return;
  if (foreign_.grey == nullptr) foreign_.grey = marker.pool.take_empty();
  marker.shade(foreign_, reinterpret_cast<std::uintptr_t>(object));
}

detail::PersistentSlot* PersistentRoots::make(void* object) {
  const std::lock_guard guard(lock_);
  if (free_ == nullptr) {
    chunks_.push_back(std::make_unique<Chunk>());
    for (Slot& slot : chunks_.back()->slots) {
      slot.next_free = free_;
      free_ = &slot;
    }
  }
  Slot* slot = free_;
  free_ = slot->next_free;
  slot->free = false;
  shade(object);
  slot->object.store(object, std::memory_order_release);
  return slot;
}

void PersistentRoots::destroy(Slot* slot) {
  const std::lock_guard guard(lock_);
  shade(slot->object.load(std::memory_order_relaxed));
  slot->object.store(nullptr, std::memory_order_relaxed);
  slot->free = true;
  slot->next_free = free_;
  free_ = slot;
}

void PersistentRoots::assign(Slot* slot, void* object) {
  const std::lock_guard guard(lock_);
  shade(slot->object.load(std::memory_order_relaxed));
  shade(object);
  slot->object.store(object, std::memory_order_release);
}

void PersistentRoots::scan(ProcessorState& state) {
  for_each([&](void* object) { marker.shade(state, reinterpret_cast<std::uintptr_t>(object)); });
}

bool PersistentRoots::publish_foreign() {
  const std::lock_guard guard(lock_);
  return foreign_.grey != nullptr && marker.publish_grey(foreign_);
}

void PersistentRoots::clear() {
  const std::lock_guard guard(lock_);
  for (auto& chunk : chunks_)
    for (Slot& slot : chunk->slots) slot.object.store(nullptr, std::memory_order_relaxed);
  if (foreign_.grey) marker.pool.give_empty(foreign_.grey);
  foreign_.grey = nullptr;
}

}  // namespace tandem::gc

namespace tandem::detail {

PersistentSlot* make_persistent_slot(void* object) { return gc::persistent_roots.make(object); }
void destroy_persistent_slot(PersistentSlot* slot) noexcept { gc::persistent_roots.destroy(slot); }
void assign_persistent_slot(PersistentSlot* slot, void* object) noexcept {
  gc::persistent_roots.assign(slot, object);
}

}  // namespace tandem::detail
