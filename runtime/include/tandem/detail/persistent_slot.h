#pragma once
// A slot of the collector's table of Persistents.

#include <atomic>

namespace tandem::detail {

struct PersistentSlot {
  std::atomic<void*> object{nullptr};
  PersistentSlot* next_free = nullptr;
  bool free = true;
};

/// A new slot that holds `object`; any thread; takes a lock; throws std::bad_alloc.
PersistentSlot* make_persistent_slot(void* object);
void destroy_persistent_slot(PersistentSlot* slot) noexcept;
void assign_persistent_slot(PersistentSlot* slot, void* object) noexcept;

}  // namespace tandem::detail
