#pragma once
// The untyped part of a channel. The typed shell (tandem/channel.h) does by inline code what neither waits
// nor wakes; all the rest is in sched/channel.cpp and sched/select.cpp.
//
// Invariants, under `lock`:
//   receivers wait  =>  count == 0 and no sender waits (except those of one and the same select) and not
//   closed senders wait    =>  count == capacity and not closed `attention` says which queues are not empty
//   and whether the channel is closed.
// `count` and `attention` are atomic only because size() and the first look of a select read them without the
// lock.

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "tandem/detail/spin_lock.h"
#include "tandem/detail/wait_queue.h"
#include "tandem/detail/words.h"

namespace tandem::detail {

/// What the untyped code must be able to do with elements; one constant per element type. None of them throws
/// or parks. `value` is an R(T) that the sender gives away (it stays to be destroyed by the sender), `out` a
/// ReceiveSlot<T>.
struct ElementOperations {
  std::uint32_t element_bytes;                // of one element of the buffer
  bool plain;                                 // all three are copies of element_bytes; the collector sees none of it
  void (*put)(void* element, void* value);    // value -> free element of the buffer
  void (*take)(void* element, void* out);     // element -> out; the element is free then
  void (*hand_over)(void* value, void* out);  // value -> out, without a buffer in between
};

enum Attention : std::uint8_t { kChannelClosed = 1, kSendersWait = 2, kReceiversWait = 4 };

struct ChannelCore {
  SpinLock lock;
  std::atomic<std::uint8_t> attention{0};
  std::uint32_t capacity = 0;
  std::atomic<std::uint32_t> count{0};  // elements in the buffer
  std::uint32_t head = 0;               // index of the oldest
  std::byte* elements = nullptr;        // the buffer; whoever owns the core keeps it alive
  WaitQueue senders;
  WaitQueue receivers;

  bool has(std::uint8_t bits) const noexcept { return (attention.load(std::memory_order_relaxed) & bits) != 0; }
  std::uint32_t size() const noexcept { return count.load(std::memory_order_relaxed); }

  // -- With the lock held.

  /// Room in the buffer and nobody to wake; then fill_tail() may be used.
  bool can_put() const noexcept { return !has(kChannelClosed | kReceiversWait) && size() < capacity; }
  /// Something in the buffer and nobody to wake.
  bool can_take() const noexcept { return !has(kSendersWait) && size() != 0; }

  std::uint32_t tail() const noexcept {
    const std::uint32_t index = head + size();
    return index >= capacity ? index - capacity : index;
  }
  void added() noexcept { count.store(size() + 1, std::memory_order_relaxed); }
  void removed() noexcept {
    head = head + 1 == capacity ? 0 : head + 1;
    count.store(size() - 1, std::memory_order_relaxed);
  }
};

// -- Slow paths. Those marked "locked" are called with the core's lock held and return with it released.

enum class ChannelResult : std::uint8_t { kDone, kClosed, kWouldBlock };

/// Locked. Sends, waiting for room. kClosed: the channel is or was closed meanwhile. Throws Cancelled.
ChannelResult channel_send_slow(ChannelCore& core, void* value, const ElementOperations& operations);
/// Locked. As above without waiting; kWouldBlock when there is no room.
ChannelResult channel_try_send_slow(ChannelCore& core, void* value, const ElementOperations& operations);
/// Locked. Receives into `out`. kClosed: closed and drained. Throws Cancelled.
ChannelResult channel_receive_slow(ChannelCore& core, void* out, const ElementOperations& operations);
/// Locked. As above without waiting; kWouldBlock when there is nothing.
ChannelResult channel_try_receive_slow(ChannelCore& core, void* out, const ElementOperations& operations);
/// Closes and wakes all waiters. False: it was closed before. Takes the lock itself.
bool channel_close(ChannelCore& core);

[[noreturn, gnu::cold]] void throw_send_on_closed();
[[noreturn, gnu::cold]] void throw_close_of_closed();
[[noreturn, gnu::cold]] void throw_bad_capacity(std::uint64_t capacity);

/// The poll of runtime calls that are inline: one load and a branch.
[[gnu::always_inline]] inline void poll_in_call() {
  if (global_words.poll.load(std::memory_order_relaxed) != 0) [[unlikely]]
    safepoint_slow();
}

}  // namespace tandem::detail
