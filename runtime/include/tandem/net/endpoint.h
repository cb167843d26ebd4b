#pragma once
/// \file
/// An address and a port.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

namespace tandem::net {

/// An IPv4 or IPv6 address with a port, as getsockname() gives it; but an IPv4 peer of an IPv6 socket (::ffff:127.0.0.1) is given
/// as IPv4. A value; any thread.
class Endpoint {
 public:
  Endpoint() noexcept = default;

  /// "127.0.0.1:80", "[::1]:80": addresses, not names; a port from 0 to 65535. "[fe80::1%eth0]:80", "[fe80::1%2]:80": with the
  /// interface that a link-local address belongs to, by name or number. Throws std::system_error (invalid_argument).
  static Endpoint parse(std::string_view text);
  static Endpoint parse(std::string_view text, std::error_code& error);

  /// What parse(), connect() and bind() accept. Empty for a default-constructed one.
  std::string to_string() const;
  /// "127.0.0.1", "::1", "fe80::1%eth0".
  std::string address() const;
  std::uint16_t port() const noexcept;

  friend bool operator==(const Endpoint& a, const Endpoint& b) noexcept;

  // -- For the library: a sockaddr.
  void* data() noexcept { return bytes_.data(); }
  const void* data() const noexcept { return bytes_.data(); }
  std::uint32_t size() const noexcept { return size_; }
  void set_size(std::uint32_t size) noexcept { size_ = size; }
  static constexpr std::size_t kCapacity = 28;  // sockaddr_in6

 private:
  alignas(8) std::array<std::byte, kCapacity> bytes_{};
  std::uint32_t size_ = 0;
};

}  // namespace tandem::net
