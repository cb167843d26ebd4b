#pragma once
// The steps of which channel operations and select are made, with the channel's lock held. Waiters that
// somebody else (another case of their select, a timeout, cancellation) has claimed already are dropped from
// the queue on the way.

#include <cstdint>
#include <cstring>

#include "runtime/seam/goroutine.h"
#include "sched/park.h"
#include "tandem/detail/channel_core.h"

namespace tandem::sched {

using detail::ChannelCore;
using detail::ChannelResult;
using detail::ElementOperations;
using detail::Waiter;
using detail::WaitQueue;

/// An attempt that did not wait. `wake` (may be null) has been claimed: the caller makes it ready after
/// unlocking.
struct Attempt {
  ChannelResult result;
  Goroutine* wake = nullptr;
};

inline Goroutine& goroutine_of(const Waiter& waiter) { return *static_cast<Goroutine*>(waiter.goroutine); }

/// Takes the first waiter that can still be woken out of `queue` and claims it, or returns null when there is
/// none.
inline Waiter* claim_first(WaitQueue& queue) {
  while (Waiter* waiter = queue.first) {
    queue.remove_first();
    // A waiter whose claim fails withdraws by itself: under the lock it finds that it is no longer queued.
    if (claim_on_processor(goroutine_of(*waiter), waiter->ticket)) [[likely]]
      return waiter;
  }
  return nullptr;
}

/// To be called after a change of the queues.
inline void update_attention(ChannelCore& core) {
  std::uint8_t attention = core.attention.load(std::memory_order_relaxed) & detail::kChannelClosed;
  if (!core.senders.empty()) attention |= detail::kSendersWait;
  if (!core.receivers.empty()) attention |= detail::kReceiversWait;
  core.attention.store(attention, std::memory_order_relaxed);
}

/// Sets (`wait`) or clears the bit of one queue.
inline void set_attention(ChannelCore& core, detail::Attention bit, bool wait) {
  const std::uint8_t before = core.attention.load(std::memory_order_relaxed);
  core.attention.store(static_cast<std::uint8_t>(wait ? before | bit : before & ~bit), std::memory_order_relaxed);
}

// -- What happens to elements. Most are plain bytes: no call then.

inline std::byte* element(ChannelCore& core, std::uint32_t index, const ElementOperations& operations) {
  return core.elements + std::size_t{index} * operations.element_bytes;
}
[[gnu::always_inline]] inline void copy_plain(void* to, const void* from, std::uint32_t bytes) {
  if (bytes == sizeof(std::uint64_t))
    std::memcpy(to, from, sizeof(std::uint64_t));
  else
    std::memcpy(to, from, bytes);
}
/// Where the user's code is compiled with automatic safepoints, so are the operations on an element and what they call; but
/// the channel's lock is held. They do not throw.
inline void operate_undivided(void (*operation)(void* first, void* second), void* first, void* second) {
  Goroutine* const self = seam::current_goroutine();  // none when a timer sends
  if (self != nullptr) ++self->indivisible_depth;
  operation(first, second);
  if (self != nullptr) --self->indivisible_depth;
}
[[gnu::always_inline]] inline void put(void* element, void* value, const ElementOperations& operations) {
  operations.plain ? copy_plain(element, value, operations.element_bytes)
                   : operate_undivided(operations.put, element, value);
}
[[gnu::always_inline]] inline void take(void* element, void* out, const ElementOperations& operations) {
  operations.plain ? copy_plain(out, element, operations.element_bytes)
                   : operate_undivided(operations.take, element, out);
}
[[gnu::always_inline]] inline void hand_over(void* value, void* out, const ElementOperations& operations) {
  operations.plain ? copy_plain(out, value, operations.element_bytes)
                   : operate_undivided(operations.hand_over, value, out);
}

// -- What happens to waiters.

/// What a claimed waiter learns when it wakes up.
inline void tell(Waiter& waiter, bool success) {
  waiter.success = success;
  goroutine_of(waiter).wake_value = &waiter;
}

/// Claims the first waiter of one side, with the attention byte kept right.
inline Waiter* claim_waiter(ChannelCore& core, WaitQueue& queue, detail::Attention bit) {
  if (!core.has(bit)) return nullptr;
  Waiter* const waiter = claim_first(queue);
  if (queue.empty()) set_attention(core, bit, false);
  return waiter;
}

[[gnu::always_inline]] inline Attempt attempt_send(ChannelCore& core, void* value,
                                                   const ElementOperations& operations) {
  if (core.has(detail::kChannelClosed)) [[unlikely]]
    return {ChannelResult::kClosed};
  if (Waiter* receiver = claim_waiter(core, core.receivers, detail::kReceiversWait)) {
    hand_over(value, receiver->slot, operations);
    tell(*receiver, true);
    return {ChannelResult::kDone, &goroutine_of(*receiver)};
  }
  if (core.size() == core.capacity) return {ChannelResult::kWouldBlock};
  put(element(core, core.tail(), operations), value, operations);
  core.added();
  return {ChannelResult::kDone};
}

[[gnu::always_inline]] inline Attempt attempt_receive(ChannelCore& core, void* out,
                                                      const ElementOperations& operations) {
  if (core.size() != 0) {
    take(element(core, core.head, operations), out, operations);
    core.removed();
    Waiter* sender = claim_waiter(core, core.senders, detail::kSendersWait);
    if (sender == nullptr) return {ChannelResult::kDone};
    // The room goes to the sender that has waited longest, so that no later one overtakes it.
    put(element(core, core.tail(), operations), sender->slot, operations);
    core.added();
    tell(*sender, true);
    return {ChannelResult::kDone, &goroutine_of(*sender)};
  }
  if (Waiter* sender = claim_waiter(core, core.senders, detail::kSendersWait)) {
    hand_over(sender->slot, out, operations);
    tell(*sender, true);
    return {ChannelResult::kDone, &goroutine_of(*sender)};
  }
  return {core.has(detail::kChannelClosed) ? ChannelResult::kClosed : ChannelResult::kWouldBlock};
}

}  // namespace tandem::sched
