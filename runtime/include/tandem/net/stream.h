#pragma once
/// \file
/// What TcpStream and UnixStream have in common.

#include <chrono>
#include <cstddef>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include "tandem/detail/socket_owner.h"

namespace tandem::net {

using TimePoint = std::chrono::steady_clock::time_point;

/// A connected byte stream. Moved, not copied; closed when destroyed. Calls on a stream that is not connected fail with
/// bad_file_descriptor.
class Stream {
 public:
  Stream(Stream&&) noexcept = default;
  Stream& operator=(Stream&&) noexcept = default;

  /// Waits for at least one byte and reads what is there, up to buffer.size(). 0: end of the stream (or an empty buffer).
  std::size_t read(std::span<std::byte> buffer);
  std::size_t read(std::span<std::byte> buffer, std::error_code& error);
  /// Writes all of it, and returns how much that was: less than bytes.size() only with an error. Raises no SIGPIPE: a peer that is
  /// gone is broken_pipe or connection_reset. One writer at a time: the bytes of calls made at once are mixed, in pieces of any
  /// size.
  std::size_t write(std::span<const std::byte> bytes);
  std::size_t write(std::span<const std::byte> bytes, std::error_code& error);
  std::size_t write(std::string_view text) { return write(std::as_bytes(std::span(text))); }
  std::size_t write(std::string_view text, std::error_code& error) {
    return write(std::as_bytes(std::span(text)), error);
  }

  /// From when on reads, writes, or both fail with timed_out; max(): never. Also for those under way. Any goroutine.
  /// These cannot fail, hence one form only; on a stream that is closed or not connected they do nothing.
  void set_deadline(TimePoint time);
  void set_read_deadline(TimePoint time);
  void set_write_deadline(TimePoint time);

  /// The peer reads the end of the stream; it can still be read here.
  void shutdown_write();
  void shutdown_write(std::error_code& error);
  /// Readers and writers that wait are woken with operation_canceled, as are all later calls. Idempotent; any thread.
  void close() noexcept;

  /// Was it ever connected? (false: default-constructed, moved from, or of a call that failed)
  explicit operator bool() const noexcept { return socket_ != nullptr; }

 protected:
  Stream() noexcept = default;
  explicit Stream(detail::SocketOwner socket) noexcept : socket_(std::move(socket)) {}
  ~Stream() = default;

  detail::SocketOwner socket_;
};

}  // namespace tandem::net
