#include "tandem/net/endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstring>

#include "netpoll/system_call.h"

namespace tandem::net {

static_assert(sizeof(::sockaddr_in6) == Endpoint::kCapacity && sizeof(::sockaddr_in) <= Endpoint::kCapacity);

namespace {

::sa_family_t family_of(const Endpoint& endpoint) {
  ::sa_family_t family = AF_UNSPEC;
  if (endpoint.size() >= sizeof family) std::memcpy(&family, endpoint.data(), sizeof family);
  return family;
}

template <class Address>
void store(Endpoint& endpoint, const Address& address) {
  std::memcpy(endpoint.data(), &address, sizeof address);
  endpoint.set_size(sizeof address);
}

template <class Address>
Address load(const Endpoint& endpoint) {
  Address address;
  std::memcpy(&address, endpoint.data(), sizeof address);
  return address;
}

}  // namespace

Endpoint Endpoint::parse(std::string_view text, std::error_code& error) {
  error.clear();
  Endpoint endpoint;
  std::string host;
  std::uint16_t port = 0;
  ::sockaddr_in v4{};
  ::sockaddr_in6 v6{};
  if (split_address(text, host, port)) {
    if (::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
      v4.sin_family = AF_INET;
      v4.sin_port = htons(port);
      store(endpoint, v4);
      return endpoint;
    }
    if (::inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
      v6.sin6_family = AF_INET6;
      v6.sin6_port = htons(port);
      store(endpoint, v6);
      return endpoint;
    }
  }
  error = std::make_error_code(std::errc::invalid_argument);
  return endpoint;
}

Endpoint Endpoint::parse(std::string_view text) {
  return or_throw("Endpoint::parse", text, [&](std::error_code& error) { return parse(text, error); });
}

std::string Endpoint::address() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (family_of(*this) == AF_INET) {
    const auto v4 = load<::sockaddr_in>(*this);
    ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
  } else if (family_of(*this) == AF_INET6) {
    const auto v6 = load<::sockaddr_in6>(*this);
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
  }
  return text;
}

std::uint16_t Endpoint::port() const noexcept {
  if (family_of(*this) == AF_INET) return ntohs(load<::sockaddr_in>(*this).sin_port);
  if (family_of(*this) == AF_INET6) return ntohs(load<::sockaddr_in6>(*this).sin6_port);
  return 0;
}

std::string Endpoint::to_string() const {
  const std::string text = address();
  if (text.empty()) return text;
  return (family_of(*this) == AF_INET6 ? "[" + text + "]" : text) + ":" + std::to_string(port());
}

bool operator==(const Endpoint& a, const Endpoint& b) noexcept {
  return a.size_ == b.size_ && std::memcmp(a.data(), b.data(), a.size_) == 0;
}

}  // namespace tandem::net
