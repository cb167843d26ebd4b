#pragma once
/// \file
/// UDP.

#include <cstddef>
#include <span>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

#include "tandem/detail/socket_owner.h"
#include "tandem/net/endpoint.h"
#include "tandem/net/stream.h"
#include "tandem/visitor.h"

namespace tandem::net {

/// Datagrams. Moved, not copied; closed when destroyed.
class UdpSocket {
 public:
  UdpSocket() noexcept = default;
  /// As TcpListener::bind.
  static UdpSocket bind(std::string_view address);
  static UdpSocket bind(std::string_view address, std::error_code& error);
  static UdpSocket bind(const Endpoint& endpoint) { return bind(endpoint.to_string()); }
  static UdpSocket bind(const Endpoint& endpoint, std::error_code& error) { return bind(endpoint.to_string(), error); }

  std::size_t send_to(std::span<const std::byte> bytes, const Endpoint& to);
  std::size_t send_to(std::span<const std::byte> bytes, const Endpoint& to, std::error_code& error);
  /// Waits for a datagram. What does not fit into the buffer is lost.
  std::pair<std::size_t, Endpoint> receive_from(std::span<std::byte> buffer);
  std::pair<std::size_t, Endpoint> receive_from(std::span<std::byte> buffer, std::error_code& error);

  /// As Stream's.
  void set_deadline(TimePoint time);
  void set_read_deadline(TimePoint time);
  void set_write_deadline(TimePoint time);
  Endpoint local_endpoint() const;
  Endpoint local_endpoint(std::error_code& error) const;
  void close() noexcept;
  explicit operator bool() const noexcept { return socket_ != nullptr; }

 private:
  explicit UdpSocket(detail::SocketOwner socket) noexcept : socket_(std::move(socket)) {}
  detail::SocketOwner socket_;
};

}  // namespace tandem::net

template <>
struct tandem::is_leaf<tandem::net::UdpSocket> : std::true_type {};
