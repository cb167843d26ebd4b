// Channel operations that wait, wake or close. See tandem/detail/channel_core.h for the invariants.
//
// Direct hand-off: a sender that finds a receiver waiting writes to the receiver's slot, on the receiver's
// stack, and a receiver takes from the sender's. The claim on the waiter's ticket is what makes this safe:
// its goroutine stays parked until ready(). The value crosses stacks through ElementOperations, which shade
// what they move.

#include <stdexcept>
#include <string>

#include "sched/channel_operations.h"
#include "sched/direct_switch.h"
#include "sched/waiting.h"
#include "tandem/channel.h"

namespace tandem::sched {

namespace {

[[gnu::always_inline]] inline ChannelResult finish(ChannelCore& core, Goroutine& self, Attempt attempt) {
  core.lock.unlock();
  if (attempt.wake != nullptr) ready_inline(*attempt.wake, processor_of(self));
  return attempt.result;
}

/// After a cancellation. True: the lock is held again and the caller starts over; else throws Cancelled.
[[gnu::noinline]] bool withdraw_cancelled(ChannelCore& core, WaitQueue& queue, Waiter& waiter, Goroutine& self) {
  core.lock.lock();
  if (waiter.queued) {
    queue.remove(waiter);
    update_attention(core);
  }
  if (!cancellation_due(self)) return true;  // shielded meanwhile: not for us
  core.lock.unlock();
  throw_cancelled();
}

/// Waits in `queue` with the lock held. True: a peer or close() dealt with the waiter; false: the lock is
/// held again and the caller starts over. Throws Cancelled, with the lock released.
[[gnu::always_inline]] inline bool wait_in(ChannelCore& core, WaitQueue& queue, detail::Attention bit, Waiter& waiter,
                                           Goroutine& self, const char* reason) {
  if (!open_cancellable_ticket(self, waiter.ticket)) {
    core.lock.unlock();
    throw_cancelled();
  }
  waiter.goroutine = &self;
  queue.push_back(waiter);
  set_attention(core, bit, true);
  if (park_unlocking_inline(self, reason, &core, core.lock) != WakeReason::kCancelled) [[likely]]
    return true;
  return !withdraw_cancelled(core, queue, waiter, self);
}

}  // namespace

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
    if (wait_in(core, core.senders, kSendersWait, waiter, self, "channel send"))
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
    if (wait_in(core, core.receivers, kReceiversWait, waiter, self, "channel receive"))
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
