#include "tandem/net/endpoint.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>

#include <charconv>
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

/// Of an interface, by its name, or by its number as it is.
bool parse_scope(const std::string& text, std::uint32_t& scope) {
  scope = ::if_nametoindex(text.c_str());
  if (scope != 0) return true;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), scope);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
}

std::string scope_text(std::uint32_t scope) {
  char name[IF_NAMESIZE];
  if (scope == 0) return "";
  return "%" + (::if_indextoname(scope, name) != nullptr ? std::string(name) : std::to_string(scope));
}

}  // namespace

bool parse_address(const std::string& host, std::uint16_t port, Endpoint& endpoint) {
  ::sockaddr_in v4{};
  ::sockaddr_in6 v6{};
  if (host.find('\0') != std::string::npos) return false;
  if (::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    store(endpoint, v4);
    return true;
  }
  const std::size_t percent = host.find('%');
  if (::inet_pton(AF_INET6, host.substr(0, percent).c_str(), &v6.sin6_addr) != 1) return false;
  if (percent != std::string::npos && !parse_scope(host.substr(percent + 1), v6.sin6_scope_id)) return false;
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  store(endpoint, v6);
  return true;
}

void unmap(Endpoint& endpoint) {
  if (family_of(endpoint) != AF_INET6) return;
  const auto v6 = load<::sockaddr_in6>(endpoint);
  if (!IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) return;
  ::sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = v6.sin6_port;
  std::memcpy(&v4.sin_addr, &v6.sin6_addr.s6_addr[12], sizeof v4.sin_addr);
  store(endpoint, v4);
}

Endpoint Endpoint::parse(std::string_view text, std::error_code& error) {
  error.clear();
  Endpoint endpoint;
  std::string host;
  std::uint16_t port = 0;
  if (split_address(text, host, port) && parse_address(host, port, endpoint)) return endpoint;
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
    return text + scope_text(v6.sin6_scope_id);
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
