#pragma once
/// \file
/// TCP.

#include <chrono>
#include <cstdint>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

#include "tandem/detail/duration.h"
#include "tandem/net/endpoint.h"
#include "tandem/net/stream.h"
#include "tandem/visitor.h"

namespace tandem::net {

/// Small writes are sent at once (TCP_NODELAY), as in Go.
class TcpStream : public Stream {
 public:
  TcpStream() noexcept = default;

  /// "host:port": a name, an IPv4 address, or an IPv6 address in brackets. The addresses of a name are tried one after the other.
  /// `timeout`: for all of it; timed_out when it has passed. Nothing interrupts the system's resolver, though (lookup()): for a
  /// name it is told once that has answered. A connection that the system makes to itself (to a free local port) is
  /// connection_refused.
  static TcpStream connect(std::string_view address) { return connect_within(address, detail::kLongestNs); }
  static TcpStream connect(std::string_view address, std::error_code& error) {
    return connect_within(address, detail::kLongestNs, error);
  }
  template <class Rep, class Period>
  static TcpStream connect(std::string_view address, std::chrono::duration<Rep, Period> timeout) {
    return connect_within(address, detail::saturated_ns(timeout));
  }
  template <class Rep, class Period>
  static TcpStream connect(std::string_view address, std::chrono::duration<Rep, Period> timeout,
                           std::error_code& error) {
    return connect_within(address, detail::saturated_ns(timeout), error);
  }
  static TcpStream connect(const Endpoint& endpoint) { return connect(endpoint.to_string()); }
  static TcpStream connect(const Endpoint& endpoint, std::error_code& error) {
    return connect(endpoint.to_string(), error);
  }
  template <class Rep, class Period>
  static TcpStream connect(const Endpoint& endpoint, std::chrono::duration<Rep, Period> timeout) {
    return connect(endpoint.to_string(), timeout);
  }
  template <class Rep, class Period>
  static TcpStream connect(const Endpoint& endpoint, std::chrono::duration<Rep, Period> timeout,
                           std::error_code& error) {
    return connect(endpoint.to_string(), timeout, error);
  }

  Endpoint local_endpoint() const;
  Endpoint local_endpoint(std::error_code& error) const;
  /// not_connected once the connection is over (reset, or shut down by both): ask before, where it will be needed then.
  Endpoint remote_endpoint() const;
  Endpoint remote_endpoint(std::error_code& error) const;
  /// false: small writes may be held back to be sent together.
  void set_no_delay(bool on = true);
  void set_no_delay(bool on, std::error_code& error);

 private:
  friend class TcpListener;
  using Stream::Stream;
  static TcpStream connect_within(std::string_view address, std::uint64_t timeout_ns);
  static TcpStream connect_within(std::string_view address, std::uint64_t timeout_ns, std::error_code& error);
};

/// Accepts connections. Moved, not copied; closed when destroyed.
class TcpListener {
 public:
  TcpListener() noexcept = default;

  /// "127.0.0.1:8080", "[::]:80", ":8080" (every address, IPv4 peers included); port 0: one that is free, see local_endpoint().
  static TcpListener bind(std::string_view address);
  static TcpListener bind(std::string_view address, std::error_code& error);
  static TcpListener bind(const Endpoint& endpoint) { return bind(endpoint.to_string()); }
  static TcpListener bind(const Endpoint& endpoint, std::error_code& error) {
    return bind(endpoint.to_string(), error);
  }

  /// Waits for the next connection. A connection that was given up before it could be accepted is passed over. Out of
  /// descriptors or memory (too_many_files_open, no_buffer_space and the like): fails after a pause of some
  /// milliseconds, so that a loop that goes on does not spin.
  TcpStream accept();
  TcpStream accept(std::error_code& error);
  /// From when on accept fails with timed_out; as Stream::set_deadline.
  void set_deadline(TimePoint time);

  Endpoint local_endpoint() const;
  Endpoint local_endpoint(std::error_code& error) const;
  /// An accept that waits fails with operation_canceled. Idempotent; any thread.
  void close() noexcept;
  explicit operator bool() const noexcept { return socket_ != nullptr; }

 private:
  explicit TcpListener(detail::SocketOwner socket) noexcept : socket_(std::move(socket)) {}
  detail::SocketOwner socket_;
};

}  // namespace tandem::net

template <>
struct tandem::is_leaf<tandem::net::TcpStream> : std::true_type {};
template <>
struct tandem::is_leaf<tandem::net::TcpListener> : std::true_type {};
