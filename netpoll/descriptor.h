#pragma once
// Registered descriptors: who waits for which of them, and which are known to be ready.
//
// One registration a descriptor, two directions, at most one waiter each. A waiter is a callback that is
// called exactly once: when its direction becomes ready, when there is an error, or when the registration
// ends. Nothing here knows goroutines: the callback of a parked one claims its ticket and makes it runnable.
//
//   D1  Edges are remembered. An event that finds no waiter sets the direction's ready bit; the next arm()
//   consumes it and
//       answers false: try the system call again. So no edge is lost between a call that returned EAGAIN and
//       arm().
//   D2  A registration has a generation. An event carries that of the registration it was made for; a late
//   one, for a slot
//       that has been taken anew since, is dropped.
//   D3  A waiter that was taken out is in flight until its callback has returned. disarm() and remove() wait
//   for that, so
//       that what the cookie points to may be destroyed after them. They must not be called from a callback.
//   D4  An event may say that a short read proves nothing from now on (kUncertain); that stays with the registration. Who
//       arms without having tried the system call, because a short read has emptied the queue, is refused then.
//       socket.h, S1 to S4, has the argument.
//
// Any thread may call any function. Callbacks run without a lock held.

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "runtime/base/spin_lock.h"
#include "runtime/seam/processor.h"

namespace tandem::netpoll {

using seam::Processor;

enum Direction : std::uint32_t { kRead = 0, kWrite = 1 };

/// What a callback is told; several may be set.
enum ReadinessBits : std::uint32_t {
  kReadable = 1,
  kWritable = 2,
  kError = 4,       // a system call will say which
  kClosed = 8,      // the registration has ended
  kUncertain = 16,  // the end of the stream, an error, or urgent data has been seen
};

struct Waiter {
  /// `here`: the processor on whose worker the call is made, null outside of any. Must not park or take long.
  void (*fire)(void* cookie, std::uint32_t events, Processor* here) = nullptr;
  void* cookie = nullptr;
};

/// How it is known that there is something to wait for.
enum class Known : std::uint8_t {
  kTried,    // the system call said so
  kDrained,  // an earlier read of a stream was short
};

/// Names a registration, also after its end.
struct DescriptorId {
  std::uint32_t index = 0;
  std::uint32_t generation = 0;  // 0: none

  std::uint64_t packed() const { return std::uint64_t{generation} << 32 | index; }
  static DescriptorId unpack(std::uint64_t packed) {
    return {static_cast<std::uint32_t>(packed), static_cast<std::uint32_t>(packed >> 32)};
  }
};

class DescriptorTable {
 public:
  DescriptorTable() = default;
  ~DescriptorTable();
  DescriptorTable(const DescriptorTable&) = delete;
  DescriptorTable& operator=(const DescriptorTable&) = delete;

  /// A fresh registration. Throws std::bad_alloc; std::system_error (EMFILE) beyond kMaxDescriptors.
  /// `uncertain`: as if kUncertain had been reported; for a poller that does not report it reliably.
  DescriptorId add(bool uncertain = false);

  /// Ends the registration; waiters are called with kClosed. False: it had ended already.
  bool remove(DescriptorId id, Processor* here);

  /// Leaves a waiter. False: the direction is ready already (or the registration has ended); nothing was
  /// left. A direction that has a waiter must not be armed again.
  bool arm(DescriptorId id, Direction direction, Waiter waiter, Known known = Known::kTried);

  /// Takes the waiter back. True: it was not called and will not be. False: it has been called, and has
  /// returned.
  bool disarm(DescriptorId id, Direction direction);

  /// An event: calls the waiters that it concerns and returns how many. By the poller.
  std::uint32_t deliver(DescriptorId id, std::uint32_t events, Processor* here);

  /// A number that the poller keeps with a registration: its file's, or -1; -1 when the registration has ended.
  int descriptor(DescriptorId id) const;
  void set_descriptor(DescriptorId id, int descriptor);

  /// Waiters that are armed now.
  std::uint32_t waiters() const { return waiters_.load(std::memory_order_acquire); }
  /// Registrations that have not ended.
  std::uint32_t registered() const { return registered_.load(std::memory_order_relaxed); }

  static constexpr std::uint32_t kChunkSlots = 256;
  static constexpr std::uint32_t kMaxChunks = 4096;
  static constexpr std::uint32_t kMaxDescriptors = kChunkSlots * kMaxChunks;  // 2^20, the kernel's usual fs.nr_open

 private:
  struct Slot {
    base::SpinLock lock;
    // -- Guarded by lock.
    bool registered = false;
    bool uncertain = false;  // D4
    std::uint32_t generation = 1;
    std::array<Waiter, 2> waiters;
    std::array<bool, 2> ready{};
    std::uint32_t next_free = 0;
    int descriptor = -1;
    // -- Callbacks in flight; raised under lock, lowered without.
    std::atomic<std::uint32_t> in_flight{0};
  };
  using Taken = std::array<Waiter, 2>;

  Slot* slot_at(std::uint32_t index) const;
  void take(Slot& slot, Direction direction, Taken& taken);
  std::uint32_t fire(Slot& slot, const Taken& taken, std::uint32_t events, Processor* here);
  static void await_callbacks(const Slot& slot);

  // Chunks are made under lock_ and never moved or freed before the table: slots are found without it.
  std::array<std::atomic<Slot*>, kMaxChunks> chunks_{};
  base::SpinLock lock_;
  std::uint32_t slots_ = 0;                     // guarded by lock_
  std::uint32_t first_free_ = kMaxDescriptors;  // guarded by lock_; kMaxDescriptors: none
  std::atomic<std::uint32_t> waiters_{0};
  std::atomic<std::uint32_t> registered_{0};
};

}  // namespace tandem::netpoll
