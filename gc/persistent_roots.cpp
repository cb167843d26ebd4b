#include "gc/persistent_roots.h"

#include <mutex>

#include "gc/marker.h"
#include "runtime/seam/phase.h"

namespace tandem::gc {

// Never destroyed: Persistents in globals may be destroyed after it would have been.
PersistentRoots& persistent_roots = *new PersistentRoots;

// Old and new values are shaded like those of any store, but not here: the thread may have no processor. They are kept, and
// the end of marking asks for them under the same lock that the commit takes (correction 13.17).
void PersistentRoots::shade(const void* object) {
  const seam::Phase phase = seam::current_phase();
  if (object == nullptr || phase < seam::Phase::kBarrier || phase > seam::Phase::kFlush) return;
  pending_.push_back(reinterpret_cast<std::uintptr_t>(object));
}

void PersistentRoots::shade_later(const void* object) {
  const std::lock_guard guard(lock_);
  shade(object);
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

bool PersistentRoots::mark_pending(ProcessorState& state) {
  const std::uint64_t marked_before = state.marked_objects;
  for (const std::uintptr_t object : pending_) marker.shade(state, object);
  pending_.clear();
  return state.marked_objects != marked_before;
}

void PersistentRoots::clear() {
  const std::lock_guard guard(lock_);
  for (auto& chunk : chunks_)
    for (Slot& slot : chunk->slots) slot.object.store(nullptr, std::memory_order_relaxed);
  pending_.clear();
}

}  // namespace tandem::gc

namespace tandem::detail {

PersistentSlot* make_persistent_slot(void* object) { return gc::persistent_roots.make(object); }
void destroy_persistent_slot(PersistentSlot* slot) noexcept { gc::persistent_roots.destroy(slot); }
void assign_persistent_slot(PersistentSlot* slot, void* object) noexcept { gc::persistent_roots.assign(slot, object); }

}  // namespace tandem::detail
