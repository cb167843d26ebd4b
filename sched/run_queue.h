#pragma once
// The runnable goroutines of one processor: a ring of 256, and a next slot in front of it.
//
//   Q1  Only the owner (the worker that drives the processor) pushes, and only it writes `tail_`.
//   Q2  Whoever moves `head_` by compare-and-swap from h to h + n owns the n goroutines in slots [h, h + n), nobody else.
//   Q3  A slot is written only while it lies outside [head, tail). push reads `head_` (acquire) before it writes: it pairs
//       with the release of the taker's compare-and-swap, so the taker has read the slot before it is overwritten.
//   Q4  `tail_` is stored with release after the slots: a thief that loads it (acquire) finds them filled, and finds what
//       the owner wrote to the goroutines.
//   Q5  A thief may read slots that are being overwritten, if the ring has wrapped meanwhile: then head_ has moved, its
//       compare-and-swap fails, and it throws away what it read. head_ is a 32-bit counter that does not wrap around
//       within one steal.
//   Q6  The next slot holds at most one goroutine, which runs next and inherits the time slice of who made it ready. Owner
//       and thieves take it by exchange. Thieves only do so after the processor has been busy with the same goroutine for a
//       while: usually its owner runs it within a microsecond, with its data in the cache.

#include <array>
#include <atomic>
#include <cstdint>

#include "runtime/base/assert.h"
#include "runtime/base/cache_line.h"
#include "runtime/seam/goroutine.h"

namespace tandem::sched {

using seam::Goroutine;

class RunQueue {
 public:
  static constexpr std::uint32_t kSlots = 256;

  /// Without thieves (one processor) the owner's operations need no locked instruction: half of what a switch
  /// costs.
  explicit RunQueue(bool has_thieves = true) : has_thieves_(has_thieves) {}

  // -- Owner.

  /// False: full; the caller moves half of it away (take_half) and tries again.
  bool push(Goroutine& goroutine) {
    const std::uint32_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_.load(std::memory_order_acquire) == kSlots) [[unlikely]]
      return false;  // Q3
    slot(tail).store(&goroutine, std::memory_order_relaxed);
    tail_.store(tail + 1, std::memory_order_release);  // Q4
    return true;
  }

  /// The oldest goroutine of the ring, or null.
  Goroutine* pop() {
    const std::uint32_t tail = tail_.load(std::memory_order_relaxed);
    std::uint32_t head = head_.load(std::memory_order_relaxed);
    while (head != tail) {
      Goroutine* goroutine = slot(head).load(std::memory_order_relaxed);
      if (!has_thieves_) {
        head_.store(head + 1, std::memory_order_relaxed);
        return goroutine;
      }
      // Release: Q3. Acquire is not needed, the owner wrote the slot itself.
      if (head_.compare_exchange_weak(head, head + 1, std::memory_order_release, std::memory_order_relaxed))
        return goroutine;
    }
    return nullptr;
  }

  /// The place behind the youngest goroutine of the ring; reached() when all that were before it have been taken, by whomever.
  std::uint32_t end() const { return tail_.load(std::memory_order_relaxed); }
  bool reached(std::uint32_t place) const {
    return static_cast<std::int32_t>(head_.load(std::memory_order_relaxed) - place) >= 0;
  }

  /// Takes the older half of a full ring; returns how many were written to `out` (room for kSlots / 2).
  std::uint32_t take_half(Goroutine** out) {
    std::uint32_t head = head_.load(std::memory_order_relaxed);
    for (;;) {
      const std::uint32_t count = (tail_.load(std::memory_order_relaxed) - head) / 2;
      for (std::uint32_t i = 0; i < count; ++i) out[i] = slot(head + i).load(std::memory_order_relaxed);
      if (count == 0 ||
          head_.compare_exchange_weak(head, head + count, std::memory_order_release, std::memory_order_relaxed))
        return count;
    }
  }

  /// Puts a goroutine into the next slot; returns the one that was there, or null.
  Goroutine* exchange_next(Goroutine* goroutine) {
    // Release: a thief that takes it sees what was written to it.
    return swap_next(goroutine, std::memory_order_acq_rel);
  }
  Goroutine* take_next() {
    if (next_.load(std::memory_order_relaxed) == nullptr) return nullptr;
    return swap_next(nullptr, std::memory_order_acquire);  // a thief may have been faster
  }

  // -- Thieves.

  /// Moves half of the victim's ring here, as far as there is room (the caller owns this one, which is empty but for zeal);
  /// returns one of them to run, or null.
  Goroutine* steal_from(RunQueue& victim) {
    const std::uint32_t tail = tail_.load(std::memory_order_relaxed);
    const std::uint32_t room = kSlots - (tail - head_.load(std::memory_order_acquire));  // Q3
    std::uint32_t count = 0;
    for (;;) {
      // Acquire on head: pairs with the last taker's release, so that the tail read after it is not older than it.
      std::uint32_t head = victim.head_.load(std::memory_order_acquire);
      const std::uint32_t available = victim.tail_.load(std::memory_order_acquire) - head;  // Q4
      count = available - available / 2;
      if (count > kSlots / 2) continue;  // head and tail were read at different times
      if (count > room) count = room;
      if (count == 0) return nullptr;
      for (std::uint32_t i = 0; i < count; ++i)
        slot(tail + i).store(victim.slot(head + i).load(std::memory_order_relaxed), std::memory_order_relaxed);
      if (victim.head_.compare_exchange_strong(head, head + count, std::memory_order_acq_rel,  // Q2, Q3, Q5
                                               std::memory_order_relaxed))
        break;
    }
    --count;
    Goroutine* goroutine = slot(tail + count).load(std::memory_order_relaxed);
    if (count > 0) tail_.store(tail + count, std::memory_order_release);
    return goroutine;
  }

  /// See Q6 for when a thief may.
  Goroutine* steal_next() { return take_next(); }

  // -- Anybody. A hint, exact when the owner is quiet.

  bool ring_empty() const { return head_.load(std::memory_order_acquire) == tail_.load(std::memory_order_acquire); }
  bool has_thieves() const { return has_thieves_; }
  bool has_next() const { return next_.load(std::memory_order_relaxed) != nullptr; }
  std::uint32_t ring_size() const {
    const std::uint32_t size = tail_.load(std::memory_order_relaxed) - head_.load(std::memory_order_relaxed);
    return size > kSlots ? 0 : size;
  }

 private:
  Goroutine* swap_next(Goroutine* goroutine, std::memory_order order) {
    if (has_thieves_) return next_.exchange(goroutine, order);
    Goroutine* const before = next_.load(std::memory_order_relaxed);
    next_.store(goroutine, std::memory_order_relaxed);
    return before;
  }
  std::atomic<Goroutine*>& slot(std::uint32_t index) { return slots_[index % kSlots]; }

  alignas(base::kCacheLineBytes) std::atomic<std::uint32_t> head_{0};
  alignas(base::kCacheLineBytes) std::atomic<std::uint32_t> tail_{0};
  std::atomic<Goroutine*> next_{nullptr};
  const bool has_thieves_;
  alignas(base::kCacheLineBytes) std::array<std::atomic<Goroutine*>, kSlots> slots_{};
};

/// Some of the goroutines that were in the ring at a certain moment are there still.
class RingMark {
 public:
  // -- Owner.
  void set(const RunQueue& queue) {
    place_.store(queue.end(), std::memory_order_relaxed);
    set_.store(true, std::memory_order_relaxed);
  }
  /// More often than the ring can go round its 2^32 places, from which on the answer would be wrong.
  void forget_if_reached(const RunQueue& queue) {
    if (!waits(queue)) set_.store(false, std::memory_order_relaxed);
  }

  // -- Anybody; for others than the owner it is a hint.
  bool waits(const RunQueue& queue) const {
    return set_.load(std::memory_order_relaxed) && !queue.reached(place_.load(std::memory_order_relaxed));
  }

 private:
  std::atomic<std::uint32_t> place_{0};
  std::atomic<bool> set_{false};
};

}  // namespace tandem::sched
