#pragma once
// A non-blocking socket, the system calls on which park the goroutine instead of the thread.
//
// Any number of goroutines may be inside: of those that read, as of those that write, one is at it, and the others wait for
// their turn, first come, first served. close() wakes who waits, refuses who comes, and the last one out gives the descriptor
// back, so that its number cannot be somebody else's while a call on it is under way. (Go's fdMutex.)
//
// A read of a TCP stream that filled less than its buffer has emptied the receive queue (epoll(7), Q&A), so the next one waits
// without asking recv() first, which would say EAGAIN. Why that loses no wake-up: let R be the part of the
// short read in which the kernel holds the socket's lock, and W the wait that follows. The queue is changed under the same lock; each
// change makes an edge, and an edge is reported with the socket's state at that moment, which is that after the change, or a later one.
//   S1  Bytes that R has not seen came after R. Their edge finds W's waiter and wakes it, or comes before W and leaves the
//       ready bit (D1), and W's arm() is refused: from R to W nobody else arms, because the turn to read is ours.
//   S2  The end of the stream, or a reset, makes an edge as well. After R it is as S1. Before R, behind the bytes, it may have been
//       reported together with them, and have woken R itself: nothing else will come. That report had EPOLLRDHUP, EPOLLHUP or
//       EPOLLERR in it, and D4 refuses W; or a report with them is still to come, which is as S1.
//   S3  R stops in front of an urgent byte although there are bytes behind it. Then the urgent byte had come before R, with an edge,
//       whose report says EPOLLPRI, since that holds until a read goes past it. As S2.
//   S4  An edge may be used up by a waiter that its deadline or a cancellation has beaten to the wake-up. So only the first wait
//       after R goes without recv(): `drained_` is taken before it, and set by a short read alone.
// Not so for Unix streams: a read of those stops at a message with descriptors attached, and no event says so. Datagrams neither. Over
// io_uring the reports do not say enough (uring_poller.h, U4), and W is refused always.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <system_error>

#include "netpoll/poller.h"
#include "netpoll/turn.h"
#include "tandem/detail/socket_owner.h"

namespace tandem::detail {

class Socket {
 public:
  using Direction = netpoll::Direction;

  /// Takes the descriptor over, also when it throws: std::system_error, std::bad_alloc. In a run only.
  explicit Socket(int descriptor);
  ~Socket();
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  /// Makes a system call until it does not want to wait: `attempt` returns its result, or -errno. On EAGAIN the goroutine parks until
  /// `direction` is ready or its deadline has come; before all else it waits until others have done in that direction. Throws Cancelled, and only that. A safepoint; on a goroutine only.
  /// Errors: what the call gives; timed_out; operation_canceled after close().
  /// `wanted`: how many bytes a read of a stream asks for; 0: it is something else.
  using Attempt = std::int64_t (*)(int descriptor, void* argument);
  std::int64_t perform(Direction direction, const char* reason, Attempt attempt, void* argument, std::error_code& error,
                       std::size_t wanted = 0);

  /// A short read empties the queue, S1 to S4: it is a TCP stream. Before the first read.
  void trust_short_reads() { short_read_drains_ = true; }

  /// A call that does not wait. As perform().
  std::int64_t call(Attempt attempt, void* argument, std::error_code& error);

  /// On the runtime's clock; UINT64_MAX: none. A goroutine that waits already goes by the new one.
  void set_deadline(Direction direction, std::uint64_t deadline_ns);
  /// Idempotent. Any thread.
  void close() noexcept;

 private:
  bool enter();
  void leave() noexcept;
  bool closed() const { return (users_.load(std::memory_order_acquire) & kClosed) != 0; }
  std::error_code wait(Direction direction, const char* reason, netpoll::Known known);
  /// The poller that the socket is registered with; null after the end of that run.
  netpoll::Poller* poller() const;

  static constexpr std::uint32_t kClosed = std::uint32_t{1} << 31;

  const int descriptor_;
  netpoll::DescriptorId id_;
  std::uint64_t session_ = 0;
  std::atomic<std::uint32_t> users_{1};  // goroutines inside, and the owner until close(); kClosed
  bool short_read_drains_ = false;
  bool drained_ = false;  // the last read was short; by whose turn it is to read
  std::array<std::atomic<std::uint64_t>, 2> deadlines_{UINT64_MAX, UINT64_MAX};
  // Whose turn it is, by direction. Who gets it looks for a deadline and for closed() anew, so what ends one call ends those that
  // wait behind it, one after the other.
  std::array<netpoll::Turn, 2> turns_;
};

}  // namespace tandem::detail
