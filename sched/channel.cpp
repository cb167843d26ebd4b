// Channel operations that wait, wake or close. See tandem/detail/channel_core.h for the invariants.
//
// Direct hand-off: a sender that finds a receiver waiting writes to the receiver's slot, on the receiver's
// stack, and a receiver takes from the sender's. The claim on the waiter's ticket is what makes this safe:
// its goroutine stays parked until ready(). The value crosses stacks through ElementOperations, which shade
// what they move.

#include <stdexcept>
#include <string>

#include "sched/channel_operations.h"
#include "sched/waiting.h"
#include "tandem/channel.h"

namespace tandem::sched {

Waiter* claim_first(WaitQueue& queue) {
  while (Waiter* waiter = queue.first) {
    queue.remove(*waiter);
    // A waiter whose claim fails withdraws by itself: under the lock it finds that it is no longer queued.
    if (claim(goroutine_of(*waiter), waiter->ticket)) return waiter;
  }
  return nullptr;
}

void update_attention(ChannelCore& core) {
  std::uint8_t attention = core.attention.load(std::memory_order_relaxed) & detail::kChannelClosed;
  if (!core.senders.empty()) attention |= detail::kSendersWait;
  if (!core.receivers.empty()) attention |= detail::kReceiversWait;
  core.attention.store(attention, std::memory_order_relaxed);
}

namespace {

std::byte* element(ChannelCore& core, std::uint32_t index, const ElementOperations& operations) {
  return core.elements + std::size_t{index} * operations.element_bytes;
}

/// What a claimed waiter learns when it wakes up.
void tell(Waiter& waiter, bool success) {
  waiter.success = success;
  goroutine_of(waiter).wake_value = &waiter;
}

/// Claims the first waiter of one side, with the attention byte kept right.
Waiter* claim_waiter(ChannelCore& core, WaitQueue& queue) {
  if (queue.empty()) return nullptr;
  Waiter* waiter = claim_first(queue);
  update_attention(core);
  return waiter;
}

ChannelResult finish(ChannelCore& core, Goroutine& self, Attempt attempt) {
  core.lock.unlock();
  if (attempt.wake != nullptr) ready(*attempt.wake, processor_of(self));
  return attempt.result;
}

/// Waits in `queue` with the lock held. True: a peer or close() dealt with the waiter; false: the lock is
/// held again and the caller starts over. Throws Cancelled, with the lock released.
bool wait_in(ChannelCore& core, WaitQueue& queue, Waiter& waiter, Goroutine& self, const char* reason) {
  if (!open_cancellable_ticket(self, waiter.ticket)) {
    core.lock.unlock();
    throw_cancelled();
  }
  waiter.goroutine = &self;
  queue.push_back(waiter);
  update_attention(core);
  if (park_unlocking(self, reason, &core, core.lock) != WakeReason::kCancelled) return true;

  core.lock.lock();
  if (waiter.queued) {
    queue.remove(waiter);
    update_attention(core);
  }
  if (!cancellation_due(self)) return false;  // shielded meanwhile: not for us
  core.lock.unlock();
  throw_cancelled();
}

}  // namespace

Attempt attempt_send(ChannelCore& core, void* value, const ElementOperations& operations) {
  if (core.has(detail::kChannelClosed)) return {ChannelResult::kClosed};
  if (Waiter* receiver = claim_waiter(core, core.receivers)) {
    operations.hand_over(value, receiver->slot);
    tell(*receiver, true);
    return {ChannelResult::kDone, &goroutine_of(*receiver)};
  }
  if (core.size() == core.capacity) return {ChannelResult::kWouldBlock};
  operations.put(element(core, core.tail(), operations), value);
  core.added();
  return {ChannelResult::kDone};
}

Attempt attempt_receive(ChannelCore& core, void* out, const ElementOperations& operations) {
  if (core.size() != 0) {
    operations.take(element(core, core.head, operations), out);
    core.removed();
    Waiter* sender = claim_waiter(core, core.senders);
    if (sender == nullptr) return {ChannelResult::kDone};
    // The room goes to the sender that has waited longest, so that no later one overtakes it.
    operations.put(element(core, core.tail(), operations), sender->slot);
    core.added();
    tell(*sender, true);
    return {ChannelResult::kDone, &goroutine_of(*sender)};
  }
  if (Waiter* sender = claim_waiter(core, core.senders)) {
    operations.hand_over(sender->slot, out);
    tell(*sender, true);
    return {ChannelResult::kDone, &goroutine_of(*sender)};
  }
  return {core.has(detail::kChannelClosed) ? ChannelResult::kClosed : ChannelResult::kWouldBlock};
}

}  // namespace tandem::sched

namespace tandem::detail {

using namespace sched;

ChannelResult channel_send_slow(ChannelCore& core, void* value, const ElementOperations& operations) {
  Goroutine& self = running_goroutine("Channel::send");
  for (;;) {
    const Attempt attempt = attempt_send(core, value, operations);
    if (attempt.result != ChannelResult::kWouldBlock) return finish(core, self, attempt);
    Waiter waiter;
    waiter.slot = value;
    if (wait_in(core, core.senders, waiter, self, "channel send"))
      return waiter.success ? ChannelResult::kDone : ChannelResult::kClosed;
  }
}

ChannelResult channel_try_send_slow(ChannelCore& core, void* value, const ElementOperations& operations) {
  return finish(core, running_goroutine("Channel::try_send"), attempt_send(core, value, operations));
}

ChannelResult channel_receive_slow(ChannelCore& core, void* out, const ElementOperations& operations) {
  Goroutine& self = running_goroutine("Channel::receive");
  for (;;) {
    const Attempt attempt = attempt_receive(core, out, operations);
    if (attempt.result != ChannelResult::kWouldBlock) return finish(core, self, attempt);
    Waiter waiter;
    waiter.slot = out;
    if (wait_in(core, core.receivers, waiter, self, "channel receive"))
      return waiter.success ? ChannelResult::kDone : ChannelResult::kClosed;
  }
}

ChannelResult channel_try_receive_slow(ChannelCore& core, void* out, const ElementOperations& operations) {
  return finish(core, running_goroutine("Channel::try_receive"), attempt_receive(core, out, operations));
}

bool channel_close(ChannelCore& core) {
  Goroutine& self = running_goroutine("Channel::close");
  WaitQueue woken;
  core.lock.lock();
  if (core.has(kChannelClosed)) {
    core.lock.unlock();
    return false;
  }
  core.attention.store(kChannelClosed, std::memory_order_relaxed);
  for (WaitQueue* queue : {&core.receivers, &core.senders})
    while (Waiter* waiter = claim_first(*queue)) {
      tell(*waiter, false);
      woken.push_back(*waiter);
    }
  core.lock.unlock();
  wake_all(woken, processor_of(self));
  return true;
}

void throw_send_on_closed() { throw ChannelClosed("tandem: send on a closed channel"); }
void throw_close_of_closed() { throw ChannelClosed("tandem: close of a channel that is closed already"); }
void throw_bad_capacity(std::uint64_t capacity) {
  throw std::length_error("tandem: make_channel: capacity " + std::to_string(capacity) + " is above 2147483648");
}

}  // namespace tandem::detail
