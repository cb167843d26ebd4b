#pragma once
// PollerPort over epoll: edge-triggered, one registration a descriptor, timeouts in nanoseconds.
//
// One thread at a time is inside epoll: it sees all events, and a wake-up cannot be eaten by somebody it was
// not meant for. interrupt() leaves a token in an eventfd that only a waiting poll takes; a poll with timeout
// 0 leaves it where it is. So an interrupt that comes after a worker has decided to sleep, but before it
// sleeps, makes that sleep end at once.

#include <atomic>
#include <cstdint>

#include "netpoll/descriptor.h"
#include "runtime/seam/ports.h"

struct epoll_event;

namespace tandem::netpoll {

class EpollPoller final : public seam::PollerPort {
 public:
  EpollPoller() = default;
  ~EpollPoller() override { close(); }
  EpollPoller(const EpollPoller&) = delete;
  EpollPoller& operator=(const EpollPoller&) = delete;

  /// Throws std::system_error when the system has no descriptors to give.
  void open();
  /// Nobody may be inside any function. Idempotent.
  void close() noexcept;

  // -- PollerPort.
  std::uint32_t poll(std::uint64_t timeout_ns, Processor* here) override;
  void interrupt() override;
  std::uint32_t waiters() const override { return table_.waiters(); }

  // -- Descriptors: any thread. They should be in non-blocking mode.

  /// Registers; the caller keeps the descriptor open until remove(). Throws std::system_error (EPERM: a
  /// regular file, which epoll does not take; ENOSPC: fs.epoll.max_user_watches), std::bad_alloc.
  DescriptorId add(int descriptor);
  /// Ends the registration, before the descriptor is closed; waiters are called with kClosed. False: had
  /// ended already.
  bool remove(DescriptorId id, int descriptor, Processor* here);
  /// See DescriptorTable.
  bool arm(DescriptorId id, Direction direction, Waiter waiter) { return table_.arm(id, direction, waiter); }
  bool disarm(DescriptorId id, Direction direction) { return table_.disarm(id, direction); }
  /// Makes a waiter look again, although nothing has happened.
  void nudge(DescriptorId id, Direction direction) {
    table_.deliver(id, direction == kRead ? kReadable : kWritable, nullptr);
  }
  /// Differs between open()s, also of different pollers: tells registrations of an earlier run.
  std::uint64_t session() const { return session_; }

  /// For tests: behave as on a kernel before 5.11, which has no epoll_pwait2 (timeouts are then rounded up to
  /// ms).
  void use_millisecond_timeouts() { has_pwait2_ = false; }

 private:
  int wait(::epoll_event* events, int capacity, std::uint64_t timeout_ns);
  void take_token();

  DescriptorTable table_;
  std::uint64_t session_ = 0;
  int epoll_ = -1;
  int event_ = -1;
  bool has_pwait2_ = true;                // written by the one thread that polls
  std::atomic<bool> polling_{false};      // somebody is inside epoll
  std::atomic<bool> interrupted_{false};  // the token lies in the eventfd, or is about to
};

}  // namespace tandem::netpoll
