#include "netpoll/turn.h"

#include <mutex>
#include <utility>

#include "runtime/seam/goroutine.h"
#include "runtime/seam/registry.h"

namespace tandem::netpoll {

void Turn::take(const char* reason) {
  while (!try_take()) {
    Waiting waiting{*this, {}, nullptr, false, false};
    const seam::WakeReason woken = seam::registry.scheduler->park_published(&queue_up, &waiting, UINT64_MAX, reason);
    // Handed over, or free when we queued up (when we may have been cancelled nevertheless: what comes next will see to that).
    if (woken == seam::WakeReason::kReady || waiting.taken) return;
    withdraw(waiting);
    seam::registry.scheduler->check_cancelled();
  }
}

bool Turn::try_take() {
  const std::lock_guard guard(lock_);
  return !std::exchange(taken_, true);
}

/// False: there is nothing to wait for, the turn is the caller's.
bool Turn::queue_up(void* argument, seam::ParkTicket ticket) {
  auto& waiting = *static_cast<Waiting*>(argument);
  Turn& turn = waiting.turn;
  const std::lock_guard guard(turn.lock_);
  if (!turn.taken_) {
    turn.taken_ = waiting.taken = true;
    return false;
  }
  waiting.ticket = ticket;
  waiting.queued = true;
  (turn.last_ == nullptr ? turn.first_ : turn.last_->next) = &waiting;
  turn.last_ = &waiting;
  return true;
}

// A record may be gone as soon as it is out of the queue and the lock is free: its goroutine may have been cancelled.
void Turn::pass_on() {
  for (;;) {
    seam::ParkTicket ticket;
    {
      const std::lock_guard guard(lock_);
      Waiting* const next = first_;
      if (next == nullptr) {
        taken_ = false;
        return;
      }
      ticket = next->ticket;
      next->queued = false;
      first_ = next->next;
      if (first_ == nullptr) last_ = nullptr;
    }
    auto* const here = static_cast<seam::Processor*>(seam::current_goroutine()->processor);
    if (seam::registry.scheduler->wake(ticket, here)) return;
  }
}

void Turn::withdraw(Waiting& waiting) {
  const std::lock_guard guard(lock_);
  if (!waiting.queued) return;
  Waiting* before = nullptr;
  Waiting** link = &first_;
  while (*link != &waiting) {
    before = *link;
    link = &before->next;
  }
  *link = waiting.next;
  if (last_ == &waiting) last_ = before;
}

}  // namespace tandem::netpoll
