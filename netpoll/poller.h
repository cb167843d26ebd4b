#pragma once
// What the pollers have in common: PollerPort towards the scheduler, descriptors and their waiters towards sockets.
//
// A poller reports edges: what became ready, once. One thread at a time is inside poll(): it sees all events, and a wake-up
// cannot be eaten by somebody it was not meant for. An interrupt() is meant for a poll that waits; one with timeout 0 leaves it
// for the next. So an interrupt that comes after a worker has decided to sleep, but before it sleeps, makes that sleep end at once.

#include <cstdint>
#include <memory>
#include <utility>

#include "netpoll/descriptor.h"
#include "runtime/seam/ports.h"

namespace tandem::netpoll {

/// Where goroutines are made runnable: found out when there is the first.
class Destination {
 public:
  Destination(Processor* (*acquire)(void*), void* argument) : acquire_(acquire), argument_(argument) {}
  Processor* get() {
    if (acquire_ != nullptr) here_ = std::exchange(acquire_, nullptr)(argument_);
    return here_;
  }

 private:
  Processor* (*acquire_)(void*);
  void* argument_;
  Processor* here_ = nullptr;
};

class Poller : public seam::PollerPort {
 public:
  Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  /// Differs between pollers of one process: tells registrations of an earlier run.
  std::uint64_t session() const { return session_; }

  // -- PollerPort.
  std::uint32_t poll(std::uint64_t timeout_ns, Processor* here) final;
  std::uint32_t wait(std::uint64_t timeout_ns, Processor* (*acquire)(void*), void* argument) final;
  std::uint32_t waiters() const override { return table_.waiters(); }
  std::uint32_t descriptors() const override { return table_.registered(); }

  // -- Descriptors: any thread. They should be in non-blocking mode.

  /// Registers; the caller keeps the descriptor open until remove(). Throws std::system_error (EPERM: a regular file, for
  /// which nothing can be waited; ENOSPC: fs.epoll.max_user_watches), std::bad_alloc.
  virtual DescriptorId add(int descriptor) = 0;
  /// Ends the registration, before the descriptor is closed; waiters are called with kClosed. False: had
  /// ended already.
  virtual bool remove(DescriptorId id, int descriptor, Processor* here) = 0;
  /// See DescriptorTable.
  bool arm(DescriptorId id, Direction direction, Waiter waiter, Known known = Known::kTried) {
    return table_.arm(id, direction, waiter, known);
  }
  bool disarm(DescriptorId id, Direction direction) { return table_.disarm(id, direction); }
  /// Makes a waiter look again, although nothing has happened.
  void nudge(DescriptorId id, Direction direction) {
    table_.deliver(id, direction == kRead ? kReadable : kWritable, nullptr);
  }

 protected:
  virtual std::uint32_t gather(std::uint64_t timeout_ns, Destination destination) = 0;

  DescriptorTable table_;

 private:
  const std::uint64_t session_;
};

/// Can the descriptor of epoll or io_uring be read: is there an event? Takes none.
bool is_readable(int descriptor);

/// What the events of poll(2), which are those of epoll, mean to the table.
std::uint32_t readiness_of(std::uint32_t poll_events);

/// Throws std::system_error when the system has no descriptors to give.
std::unique_ptr<Poller> make_epoll_poller();
/// The same, and when the kernel has no io_uring, or not the parts that are needed, or forbids it: what() says so. Not available
/// without liburing.
std::unique_ptr<Poller> make_uring_poller();

}  // namespace tandem::netpoll
