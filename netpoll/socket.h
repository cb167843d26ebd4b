#pragma once
// A non-blocking socket, the system calls on which park the goroutine instead of the thread.
//
// Any number of goroutines may be inside: of those that read, as of those that write, one is at it, and the others wait for
// their turn, first come, first served. close() wakes who waits, refuses who comes, and the last one out gives the descriptor
// back, so that its number cannot be somebody else's while a call on it is under way. (Go's fdMutex.)

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
  using Attempt = std::int64_t (*)(int descriptor, void* argument);
  std::int64_t perform(Direction direction, const char* reason, Attempt attempt, void* argument,
                       std::error_code& error);

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
  std::error_code wait(Direction direction, const char* reason);
  /// The poller that the socket is registered with; null after the end of that run.
  netpoll::Poller* poller() const;

  static constexpr std::uint32_t kClosed = std::uint32_t{1} << 31;

  const int descriptor_;
  netpoll::DescriptorId id_;
  std::uint64_t session_ = 0;
  std::atomic<std::uint32_t> users_{1};  // goroutines inside, and the owner until close(); kClosed
  std::array<std::atomic<std::uint64_t>, 2> deadlines_{UINT64_MAX, UINT64_MAX};
  // Whose turn it is, by direction. Who gets it looks for a deadline and for closed() anew, so what ends one call ends those that
  // wait behind it, one after the other.
  std::array<netpoll::Turn, 2> turns_;
};

}  // namespace tandem::detail
