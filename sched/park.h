#pragma once
// Parking and waking. The only way a goroutine stops running other than by ending or being preempted, and the only way it
// becomes runnable again. Channels, select, locks, timers, the poller and the collector are built on these few calls.
//
// Two steps, so that no wake-up is lost and nobody runs on a stack that is still in use:
//   1. ticket = open_ticket(g); publish the goroutine and its ticket (enqueue a waiter under the object's spin lock, arm a
//      timer, ...);
//   2. park(...): switches away first; the *next* context then calls `commit`, which unlocks what step 1 locked, and makes
//      the state `waiting`. A waker can only find the waiter after that unlock (sources without a lock, such as
//      cancellation, at any moment); ready() waits for the state, some nanoseconds at most. So nobody resumes a goroutine
//      that has not left its stack, and what lies on that stack outlives commit.
// Wakers: claim(g, ticket) decides who wakes it (select, timeouts and cancellation compete); the winner writes what it has
// to say and calls ready(). A stale waker (timer of an earlier park) fails, because tickets are never reused.

#include <cstdint>

#include "runtime/base/assert.h"
#include "runtime/base/spin_lock.h"
#include "runtime/seam/goroutine.h"
#include "runtime/seam/in_blocking.h"
#include "runtime/seam/processor.h"
#include "tandem/detail/checks.h"
#include "tandem/detail/parallel.h"

namespace tandem::sched {

using seam::Goroutine;
using seam::Processor;
using seam::WakeReason;

[[noreturn, gnu::cold]] void fatal_no_goroutine(const char* operation);

/// The running goroutine; fatal error with `operation`'s name when called on a thread that runs none, and, with debug checks,
/// inside the f of blocking(f).
[[gnu::always_inline]] inline Goroutine& running_goroutine(const char* operation) {
  if (!detail::on_goroutine_stack()) [[unlikely]]
    fatal_no_goroutine(operation);
  auto& self = *static_cast<Goroutine*>(detail::current_goroutine_unchecked());
  if constexpr (detail::kDebugChecks) seam::refuse_in_blocking(self, operation);
  return self;
}
inline Processor& processor_of(Goroutine& goroutine) { return *static_cast<Processor*>(goroutine.processor); }

/// Opens a new ticket for the running goroutine: from now on one claim() on it succeeds.
inline std::uint64_t open_ticket(Goroutine& self) {
  const std::uint64_t ticket = (self.ticket.load(std::memory_order_relaxed) | 1) + 1;
  // Sequentially consistent: before the read of cancel_requested, see cancel(). With one processor whoever
  // cancels drives it after us.
  if (detail::run_in_parallel())
    self.ticket.store(ticket, std::memory_order_seq_cst);
  else
    self.ticket.store(ticket, std::memory_order_relaxed);
  return ticket;
}

/// Tries to become the one waker of the park with this ticket. Acquire-release: the winner sees what the goroutine
/// published; a goroutine that closes its own ticket sees what the winner did. From any thread. `ticket` as it was opened.
inline bool claim(Goroutine& goroutine, std::uint64_t ticket) {
  TANDEM_ASSERT(ticket % 2 == 0);
  return goroutine.ticket.compare_exchange_strong(ticket, ticket | 1, std::memory_order_acq_rel,
                                                  std::memory_order_relaxed);
}

/// The same where nobody competes but goroutines, timers and cancellation, all of which run on processors: with one
/// processor they take turns, and no locked instruction is needed. (A thread that claims another park of the same
/// goroutine compares with another ticket: it fails, and writes nothing.)
[[gnu::always_inline]] inline bool claim_on_processor(Goroutine& goroutine, std::uint64_t ticket) {
  if (detail::run_in_parallel()) return claim(goroutine, ticket);
  if (goroutine.ticket.load(std::memory_order_relaxed) != ticket) return false;
  goroutine.ticket.store(ticket | 1, std::memory_order_relaxed);
  return true;
}

/// Why the park that has just ended did: set by the winner of the ticket if it is not kReady; read once.
[[gnu::always_inline]] inline WakeReason take_wake_reason(Goroutine& self) {
  const WakeReason reason =
      self.wake_reason.load(std::memory_order_relaxed);  // ordered by the state's release and acquire
  if (reason != WakeReason::kReady) [[unlikely]]
    self.wake_reason.store(WakeReason::kReady, std::memory_order_relaxed);
  return reason;
}

/// Called by the next context after the parking goroutine has left its stack, before it can be resumed. Must not wait for
/// somebody who may be in ready() for this goroutine. False: do not park after all; commit has claimed nothing, and it is made
/// runnable again at once (with kReady), unless somebody else has claimed the ticket.
using CommitFunction = bool (*)(Goroutine& parked, void* argument);

/// Parks the running goroutine. `reason` is static text for dumps ("channel receive"), `object` what it waits for. Returns
/// why it was woken. Does not throw; cancellable callers turn kCancelled into Cancelled after they have withdrawn their waiters.
WakeReason park(Goroutine& self, const char* reason, const void* object, CommitFunction commit, void* argument);

/// The same for waits that are not part of a call which is documented to park (an allocation's for the collector): a
/// std::mutex may be held (runtime/seam/held_locks.h, L2).
WakeReason park_within_call(Goroutine& self, const char* reason, const void* object, CommitFunction commit,
                            void* argument);

/// The common case: unlock one spin lock after the switch.
WakeReason park_and_unlock(Goroutine& self, const char* reason, const void* object, base::SpinLock& lock);

/// Makes a parked goroutine, whose ticket the caller has claimed, runnable: in the next slot of the calling
/// processor (it runs soon and inherits the slice) or, when `next_slot` is false, at the end of its queue.
void ready(Goroutine& goroutine, Processor& here, bool next_slot = true);

/// Gives up the processor; the running goroutine goes to the end of the local queue.
void yield_now(Goroutine& self);

/// True when the running goroutine was cancelled and may be told so here: not while it unwinds, not inside a
/// CancellationShield. Every cancellable park checks it before publishing and after waking with kCancelled.
bool cancellation_due(Goroutine& self);
/// Throws tandem::Cancelled.
[[noreturn]] void throw_cancelled();
/// Throws Cancelled if cancellation_due.
void check_cancelled(Goroutine& self);

/// Cancels a goroutine: its current or next cancellable park throws. From any worker. The flag is stored before the ticket is
/// read, a parking goroutine stores its ticket before it reads the flag (both sequentially consistent): one sees the other.
void cancel(Goroutine& goroutine, Processor& here);

}  // namespace tandem::sched
