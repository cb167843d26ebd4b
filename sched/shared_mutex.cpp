// SharedMutex: the contended paths. The lock is handed over by whoever gives it up: a writer gives it to all
// readers that wait, else to the next writer; the last reader to the next writer.

#include "runtime/base/assert.h"
#include "sched/channel_operations.h"
#include "sched/lock_word.h"
#include "tandem/mutex.h"

namespace tandem {

using namespace sched;

namespace {
void wake(WaitQueue& woken, const char* operation) {
  if (!woken.empty()) wake_all(woken, processor_of(running_goroutine(operation)));
}
}  // namespace

/// Gives a lock that is free to waiters; returns the new state. The waiters in `woken` own it.
std::uint32_t SharedMutex::grant(std::uint32_t state, bool readers_first, WaitQueue& woken) {
  TANDEM_ASSERT((state & kWriter) == 0 && state < kReader);
  for (int side = 0; side < 2 && woken.empty(); ++side) {
    if (readers_first == (side == 0)) {
      while (Waiter* reader = claim_first(readers_)) {
        reader->success = true;
        woken.push_back(*reader);
        state += kReader;
      }
    } else if (Waiter* writer = claim_first(writers_)) {
      writer->success = true;
      woken.push_back(*writer);
      state |= kWriter;
    }
  }
  return (state & ~kWaiters) | waiters_bit();
}

void SharedMutex::lock_slow() {
  Goroutine& self = running_goroutine("SharedMutex::lock");
  Waiter waiter;
  waiter.goroutine = &self;
  waiter.queued = false;
  for (bool again = false;; again = true) {
    const std::uint32_t state = lock_word(state_, kQueueLocked);
    if (waiter.queued) writers_.remove(waiter);  // woken by a cancellation, which is not for locks
    if ((state & kWriter) == 0 && state < kReader)
      return unlock_word(state_, (state & ~kWaiters) | kWriter | waiters_bit());
    waiter.ticket = open_ticket(self);
    again ? writers_.push_front(waiter) : writers_.push_back(waiter);
    const WakeReason reason = park_unlocking_word(self, "shared mutex lock", this, state_, state | kWaiters);
    if (reason != WakeReason::kCancelled) return;
  }
}

void SharedMutex::lock_shared_slow() {
  Goroutine& self = running_goroutine("SharedMutex::lock_shared");
  Waiter waiter;
  waiter.goroutine = &self;
  waiter.queued = false;
  for (;;) {
    const std::uint32_t state = lock_word(state_, kQueueLocked);
    if (waiter.queued) readers_.remove(waiter);
    if ((state & kWriter) == 0 && writers_.empty())
      return unlock_word(state_, ((state & ~kWaiters) | waiters_bit()) + kReader);
    waiter.ticket = open_ticket(self);
    readers_.push_back(waiter);
    const WakeReason reason = park_unlocking_word(self, "shared mutex read lock", this, state_, state | kWaiters);
    if (reason != WakeReason::kCancelled) return;
  }
}

bool SharedMutex::try_lock_slow() noexcept {
  std::uint32_t state = lock_word(state_, kQueueLocked);
  const bool free = (state & kWriter) == 0 && state < kReader;
  unlock_word(state_, free ? state | kWriter : state);
  return free;
}

bool SharedMutex::try_lock_shared_slow() noexcept {
  const std::uint32_t state = lock_word(state_, kQueueLocked);
  const bool free = (state & kWriter) == 0 && writers_.empty();
  unlock_word(state_, free ? state + kReader : state);
  return free;
}

void SharedMutex::unlock_slow() {
  WaitQueue woken;
  const std::uint32_t state = lock_word(state_, kQueueLocked);
  if ((state & kWriter) == 0) misuse("unlock of a shared mutex that is not locked for writing", "SharedMutex", this);
  unlock_word(state_, grant(state & ~kWriter, true, woken));
  wake(woken, "SharedMutex::unlock");
}

void SharedMutex::unlock_shared_slow() {
  WaitQueue woken;
  std::uint32_t state = lock_word(state_, kQueueLocked);
  if (state < kReader) misuse("unlock_shared of a shared mutex that is not locked for reading", "SharedMutex", this);
  state -= kReader;
  if (state < kReader && (state & kWaiters)) state = grant(state, false, woken);
  unlock_word(state_, state);
  wake(woken, "SharedMutex::unlock_shared");
}

}  // namespace tandem
