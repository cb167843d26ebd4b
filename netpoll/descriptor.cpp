#include "netpoll/descriptor.h"

#include <sched.h>

#include <cerrno>
#include <mutex>
#include <system_error>

#include "runtime/base/assert.h"

namespace tandem::netpoll {

namespace {

std::uint32_t bit_of(Direction direction) { return direction == kRead ? kReadable : kWritable; }

// Generation 0 means "no registration", so a counter that wraps around skips it.
std::uint32_t next_generation(std::uint32_t generation) { return generation + 1 == 0 ? 1 : generation + 1; }

}  // namespace

DescriptorTable::~DescriptorTable() {
  for (auto& chunk : chunks_) delete[] chunk.load(std::memory_order_relaxed);
}

DescriptorTable::Slot* DescriptorTable::slot_at(std::uint32_t index) const {
  if (index >= kMaxDescriptors) return nullptr;
  // Acquire: pairs with the release in add() that published the chunk.
  Slot* chunk = chunks_[index / kChunkSlots].load(std::memory_order_acquire);
  return chunk == nullptr ? nullptr : chunk + index % kChunkSlots;
}

DescriptorId DescriptorTable::add(bool uncertain) {
  std::uint32_t index;
  {
    std::lock_guard guard(lock_);
    index = first_free_;
    if (index != kMaxDescriptors) {
      first_free_ = slot_at(index)->next_free;
    } else {
      if (slots_ == kMaxDescriptors) throw std::system_error(EMFILE, std::generic_category(), "tandem: poller");
      index = slots_;
      // Once in kChunkSlots registrations; others spin meanwhile.
      if (index % kChunkSlots == 0)
        chunks_[index / kChunkSlots].store(new Slot[kChunkSlots], std::memory_order_release);
      ++slots_;
    }
  }
  Slot& slot = *slot_at(index);
  std::lock_guard guard(slot.lock);
  TANDEM_CHECK(!slot.registered, "a descriptor slot on the free list is registered");
  slot.registered = true;
  registered_.fetch_add(1, std::memory_order_relaxed);
  slot.descriptor = -1;
  slot.ready = {};
  slot.uncertain = uncertain;
  return {index, slot.generation};
}

bool DescriptorTable::remove(DescriptorId id, Processor* here) {
  Slot* slot = slot_at(id.index);
  if (slot == nullptr) return false;
  Taken taken{};
  {
    std::lock_guard guard(slot->lock);
    if (!slot->registered || slot->generation != id.generation) return false;
    slot->registered = false;
    registered_.fetch_sub(1, std::memory_order_relaxed);
    slot->generation = next_generation(slot->generation);
    take(*slot, kRead, taken);
    take(*slot, kWrite, taken);
  }
  fire(*slot, taken, kClosed, here);
  await_callbacks(*slot);
  std::lock_guard guard(lock_);
  slot->next_free = first_free_;
  first_free_ = id.index;
  return true;
}

bool DescriptorTable::arm(DescriptorId id, Direction direction, Waiter waiter, Known known) {
  Slot* slot = slot_at(id.index);
  if (slot == nullptr) return false;
  std::lock_guard guard(slot->lock);
  if (!slot->registered || slot->generation != id.generation) return false;
  if (slot->ready[direction]) {
    slot->ready[direction] = false;
    return false;
  }
  if (known == Known::kDrained && slot->uncertain) return false;  // D4
  TANDEM_CHECK(slot->waiters[direction].fire == nullptr,
               "one reader and one writer at a time may wait for a descriptor");
  slot->waiters[direction] = waiter;
  // Release: pairs with the acquire in waiters(); a worker that counts sleepers sees the waiter's goroutine
  // as waiting.
  waiters_.fetch_add(1, std::memory_order_release);
  return true;
}

bool DescriptorTable::disarm(DescriptorId id, Direction direction) {
  Slot* slot = slot_at(id.index);
  if (slot == nullptr) return false;
  {
    std::lock_guard guard(slot->lock);
    if (slot->registered && slot->generation == id.generation && slot->waiters[direction].fire != nullptr) {
      slot->waiters[direction] = {};
      waiters_.fetch_sub(1, std::memory_order_release);
      return true;
    }
  }
  await_callbacks(*slot);
  return false;
}

std::uint32_t DescriptorTable::deliver(DescriptorId id, std::uint32_t events, Processor* here) {
  Slot* slot = slot_at(id.index);
  if (slot == nullptr) return 0;
  Taken taken{};
  {
    std::lock_guard guard(slot->lock);
    if (!slot->registered || slot->generation != id.generation) return 0;  // D2
    if ((events & kUncertain) != 0) slot->uncertain = true;
    for (const Direction direction : {kRead, kWrite}) {
      if ((events & (bit_of(direction) | kError)) == 0) continue;
      if (slot->waiters[direction].fire == nullptr) {
        slot->ready[direction] = true;  // D1
      } else {
        take(*slot, direction, taken);
      }
    }
  }
  return fire(*slot, taken, events, here);
}

int DescriptorTable::descriptor(DescriptorId id) const {
  Slot* slot = slot_at(id.index);
  if (slot == nullptr) return -1;
  std::lock_guard guard(slot->lock);
  return slot->registered && slot->generation == id.generation ? slot->descriptor : -1;
}

void DescriptorTable::set_descriptor(DescriptorId id, int descriptor) {
  Slot& slot = *slot_at(id.index);
  std::lock_guard guard(slot.lock);
  if (slot.generation == id.generation) slot.descriptor = descriptor;
}

// Under the slot's lock: moves the waiter out, to be fired after the unlock.
void DescriptorTable::take(Slot& slot, Direction direction, Taken& taken) {
  if (slot.waiters[direction].fire == nullptr) return;
  taken[direction] = slot.waiters[direction];
  slot.waiters[direction] = {};
  slot.in_flight.fetch_add(1, std::memory_order_relaxed);  // ordered by the lock against await_callbacks
}

std::uint32_t DescriptorTable::fire(Slot& slot, const Taken& taken, std::uint32_t events, Processor* here) {
  std::uint32_t fired = 0;
  for (const Waiter& waiter : taken) {
    if (waiter.fire == nullptr) continue;
    // Counted as waiting until its goroutine is runnable: otherwise the last worker could take this for a
    // deadlock.
    waiter.fire(waiter.cookie, events, here);
    waiters_.fetch_sub(1, std::memory_order_release);
    // Release: pairs with the acquire in await_callbacks; the cookie is not touched after this.
    slot.in_flight.fetch_sub(1, std::memory_order_release);
    ++fired;
  }
  return fired;
}

void DescriptorTable::await_callbacks(const Slot& slot) {
  while (slot.in_flight.load(std::memory_order_acquire) != 0) ::sched_yield();
}

}  // namespace tandem::netpoll
