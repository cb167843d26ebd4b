#pragma once
// Who waits for a channel or a synchronisation object. A Waiter lies on the stack of the goroutine that waits
// (or in the table of its select) and is linked into the queue of what it waits for. Everything in it but
// what the claim winner writes is guarded by the spin lock of the object whose queue it is in.

#include <cstdint>

#include "tandem/detail/words.h"

namespace tandem::detail {

struct Waiter {
  Waiter* next;
  Waiter* previous;
  GoroutineWords* goroutine;
  std::uint64_t ticket;  // sched/park.h: a waker that claims it owns the wake-up, and only then touches `slot`
  void* slot;            // channels: where the value is or goes; others: what the object wants to remember
  std::uint32_t tag;     // select: index of the case; others: kind of waiter
  bool queued;           // linked in a queue
  bool success;          // written by the claim winner: a value was transferred (false: the channel was closed)
};

/// First in, first out; doubly linked, because select, timeouts and cancellation withdraw from the middle.
struct WaitQueue {
  Waiter* first = nullptr;
  Waiter* last = nullptr;

  bool empty() const noexcept { return first == nullptr; }

  void push_back(Waiter& waiter) noexcept {
    waiter.next = nullptr;
    waiter.previous = last;
    waiter.queued = true;
    (last != nullptr ? last->next : first) = &waiter;
    last = &waiter;
  }

  void push_front(Waiter& waiter) noexcept {
    waiter.next = first;
    waiter.previous = nullptr;
    waiter.queued = true;
    (first != nullptr ? first->previous : last) = &waiter;
    first = &waiter;
  }

  void remove_first() noexcept {
    Waiter& waiter = *first;
    first = waiter.next;
    (first != nullptr ? first->previous : last) = nullptr;
    waiter.queued = false;
  }

  void remove(Waiter& waiter) noexcept {
    (waiter.previous != nullptr ? waiter.previous->next : first) = waiter.next;
    (waiter.next != nullptr ? waiter.next->previous : last) = waiter.previous;
    waiter.queued = false;
  }
};

}  // namespace tandem::detail
