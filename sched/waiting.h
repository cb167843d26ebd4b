#pragma once
// What everything that waits in a queue shares: opening a ticket unless cancelled, parking with one of our
// spin locks held, waking a list, and a timer that ends a wait.

#include <cstdint>

#include "sched/park.h"
#include "sched/timers.h"
#include "tandem/detail/spin_lock.h"
#include "tandem/detail/wait_queue.h"

namespace tandem::sched {

/// A ticket that was opened by a goroutine of which cancellation has been asked. As open_cancellable_ticket.
bool keep_ticket_of_cancelled(Goroutine& self, std::uint64_t ticket);

/// Opens a ticket for a cancellable park, before the waiter is published. False: the running goroutine is
/// cancelled and its ticket closed again; the caller releases its locks and throws. True: the caller must
/// park with this ticket (also when a cancellation has claimed it meanwhile: then the park returns
/// kCancelled).
[[gnu::always_inline]] inline bool open_cancellable_ticket(Goroutine& self, std::uint64_t& ticket) {
  ticket = open_ticket(self);
  if (self.cancel_requested.load(std::memory_order_seq_cst) == 0) [[likely]]
    return true;
  return keep_ticket_of_cancelled(self, ticket);
}

/// Parks and releases `lock` after the switch.
WakeReason park_unlocking(Goroutine& self, const char* reason, const void* object, detail::SpinLock& lock);

/// Makes the goroutines of claimed waiters ready, in order. A waiter's memory may be gone as soon as its
/// goroutine is ready, so nothing of it is read after that.
void wake_all(detail::WaitQueue& woken, Processor& here);

/// Ends a park by time. Lies on the stack of the goroutine that waits. set() before the park; start() in its
/// commit, before that releases a lock which the goroutine takes when it has been woken, so that start() is
/// over, whoever wakes it; cancel() after that.
class WaitTimer : private TimerNode {
 public:
  void set(Goroutine& goroutine, std::uint64_t ticket, std::uint64_t deadline_ns) {
    goroutine_ = &goroutine;
    ticket_ = ticket;
    when_ns = deadline_ns;
    fire = &WaitTimer::fired;
  }
  void start(Processor& here) { arm(*this, when_ns, here); }
  void cancel() { disarm(*this); }

 private:
  static void fired(TimerNode& node, Processor& here);

  Goroutine* goroutine_ = nullptr;
  std::uint64_t ticket_ = 0;
};

inline constexpr std::uint64_t kNoDeadline = UINT64_MAX;

/// As park_unlocking, but wakes with kTimeout at `deadline_ns` (base::now_ns; kNoDeadline: never). When it
/// was woken with kReady, nothing of the object that contains `lock` has been touched since.
WakeReason park_until_deadline(Goroutine& self, const char* reason, const void* object, detail::SpinLock& lock,
                               std::uint64_t ticket, std::uint64_t deadline_ns);

/// Ends the process because a synchronisation object was misused: "fatal: <what> (Mutex 0x..., goroutine 7)".
[[noreturn, gnu::cold]] void misuse(const char* what, const char* type, const void* object);

}  // namespace tandem::sched
