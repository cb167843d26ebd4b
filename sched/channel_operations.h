#pragma once
// The steps of which channel operations and select are made, with the channel's lock held. Waiters that
// somebody else (another case of their select, a timeout, cancellation) has claimed already are dropped from
// the queue on the way.

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

/// Takes the first waiter that can still be woken out of `queue` and claims it, or returns null when there is
/// none.
Waiter* claim_first(WaitQueue& queue);

/// To be called after a change of the queues.
void update_attention(ChannelCore& core);

Attempt attempt_send(ChannelCore& core, void* value, const ElementOperations& operations);
Attempt attempt_receive(ChannelCore& core, void* out, const ElementOperations& operations);

inline Goroutine& goroutine_of(const Waiter& waiter) { return *static_cast<Goroutine*>(waiter.goroutine); }

}  // namespace tandem::sched
