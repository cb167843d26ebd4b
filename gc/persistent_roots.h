#pragma once
// The table of Persistents: slots in chunks that never move. Every change holds one lock, which phase changes take too: a
// thread that is no worker takes part in no handshake, and this is how it sees the barrier (DESIGN section 7).

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "gc/processor_state.h"
#include "runtime/base/spin_lock.h"
#include "tandem/detail/persistent_slot.h"

namespace tandem::gc {

class PersistentRoots {
 public:
  using Slot = detail::PersistentSlot;

  /// A slot holding `object` / gives it back / stores to it / copies another. Any thread.
  Slot* make(void* object);
  void destroy(Slot* slot);
  void assign(Slot* slot, void* object);

  /// Shades all of them; one call a cycle, with the lock held for one chunk at a time.
  void scan(ProcessorState& state);
  template <class Function>
  void for_each(Function function);

  /// Leaves an object to be shaded by a processor. Any thread.
  void shade_later(const void* object);
  /// Marks what these operations have left to be shaded; true if any was not marked yet (else a goroutine that keeps storing
  /// to Persistents would keep the cycle from ending). At the end of marking, with lock() held.
  bool mark_pending(ProcessorState& state);

  /// For phase changes.
  base::SpinLock& lock() { return lock_; }

  /// The run has ended: all become null (their owners may outlive the run).
  void clear();

 private:
  static constexpr std::size_t kSlotsPerChunk = 1024;
  struct Chunk {
    Slot slots[kSlotsPerChunk];
  };
  void shade(const void* object);

  base::SpinLock lock_;
  std::vector<std::unique_ptr<Chunk>> chunks_;  // guarded by lock_; entries stay for ever
  Slot* free_ = nullptr;                        // guarded by lock_
  std::vector<std::uintptr_t> pending_;         // guarded by lock_: to be shaded by a processor
};

extern PersistentRoots& persistent_roots;

template <class Function>
void PersistentRoots::for_each(Function function) {
  for (std::size_t i = 0;; ++i) {
    Chunk* chunk;
    lock_.lock();
    chunk = i < chunks_.size() ? chunks_[i].get() : nullptr;
    if (chunk)
      for (Slot& slot : chunk->slots)
        if (void* object = slot.object.load(std::memory_order_acquire); object && !slot.free) function(object);
    lock_.unlock();
    if (!chunk) return;
  }
}

}  // namespace tandem::gc
