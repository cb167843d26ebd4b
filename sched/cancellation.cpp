// Cancelling goroutines, and the places where they are told.

#include <exception>

#include "sched/park.h"
#include "tandem/cancelled.h"

namespace tandem::sched {

bool cancellation_due(Goroutine& self) {
  return self.cancel_requested.load(std::memory_order_seq_cst) != 0 && self.cancellation_shields == 0 &&
         std::uncaught_exceptions() == 0;
}

void throw_cancelled() { throw Cancelled(); }

void check_cancelled(Goroutine& self) {
  if (self.cancel_requested.load(std::memory_order_relaxed) != 0 && cancellation_due(self)) [[unlikely]]
    throw_cancelled();
}

void cancel(Goroutine& goroutine, Processor& here) {
  goroutine.cancel_requested.store(1, std::memory_order_seq_cst);  // before the ticket is read, see park.h
  const std::uint64_t ticket = goroutine.ticket.load(std::memory_order_seq_cst);
  const bool open = (ticket & 1) == 0;
  if (!open || !claim(goroutine, ticket)) return;  // it runs, or somebody else wakes it: its next park will tell it
  goroutine.wake_reason.store(WakeReason::kCancelled, std::memory_order_relaxed);  // published by ready()
  ready(goroutine, here, false);
}

}  // namespace tandem::sched

namespace tandem {

CancellationShield::CancellationShield() noexcept : goroutine_(seam::current_goroutine()) {
  if (goroutine_ != nullptr) ++static_cast<seam::Goroutine*>(goroutine_)->cancellation_shields;
}

CancellationShield::~CancellationShield() {
  if (goroutine_ != nullptr) --static_cast<seam::Goroutine*>(goroutine_)->cancellation_shields;
}

}  // namespace tandem
