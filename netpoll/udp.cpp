#include "tandem/net/udp.h"

#include <netinet/in.h>

#include "netpoll/system_call.h"

namespace tandem::net {

using detail::SocketOwner;

namespace {

struct Datagram {
  void* bytes;
  std::size_t size;
  Endpoint endpoint;
};

SocketOwner bind_to(Endpoint endpoint, std::error_code& error) {
  SocketOwner socket = make_socket(static_cast<const ::sockaddr*>(endpoint.data())->sa_family, SOCK_DGRAM, error);
  if (error) return nullptr;
  socket->call(
      [](int descriptor, void* argument) {
        const auto& to = *static_cast<const Endpoint*>(argument);
        return result_of(::bind(descriptor, static_cast<const ::sockaddr*>(to.data()), to.size()));
      },
      &endpoint, error);
  return error ? nullptr : std::move(socket);
}

}  // namespace

UdpSocket UdpSocket::bind(std::string_view address, std::error_code& error) {
  error.clear();
  const std::vector<Endpoint> endpoints = resolve(address, true, error);
  for (const Endpoint& endpoint : endpoints) {
    error.clear();
    SocketOwner socket = bind_to(endpoint, error);
    if (!error) return UdpSocket(std::move(socket));
  }
  return {};
}
UdpSocket UdpSocket::bind(std::string_view address) {
  return or_throw("UdpSocket::bind", address, [&](std::error_code& error) { return bind(address, error); });
}

std::size_t UdpSocket::send_to(std::span<const std::byte> bytes, const Endpoint& to, std::error_code& error) {
  error = socket_ ? std::error_code() : no_socket();
  if (error) return 0;
  Datagram datagram{const_cast<std::byte*>(bytes.data()), bytes.size(), to};
  const std::int64_t sent = socket_->perform(
      netpoll::kWrite, "network write",
      [](int descriptor, void* argument) {
        const auto& d = *static_cast<const Datagram*>(argument);
        return result_of(::sendto(descriptor, d.bytes, d.size, MSG_NOSIGNAL,
                                  static_cast<const ::sockaddr*>(d.endpoint.data()), d.endpoint.size()));
      },
      &datagram, error);
  return error ? 0 : static_cast<std::size_t>(sent);
}
std::size_t UdpSocket::send_to(std::span<const std::byte> bytes, const Endpoint& to) {
  return or_throw("UdpSocket::send_to", to.to_string(),
                  [&](std::error_code& error) { return send_to(bytes, to, error); });
}

std::pair<std::size_t, Endpoint> UdpSocket::receive_from(std::span<std::byte> buffer, std::error_code& error) {
  error = socket_ ? std::error_code() : no_socket();
  if (error) return {};
  Datagram datagram{buffer.data(), buffer.size(), {}};
  const std::int64_t received = socket_->perform(
      netpoll::kRead, "network read",
      [](int descriptor, void* argument) {
        auto& d = *static_cast<Datagram*>(argument);
        ::socklen_t size = Endpoint::kCapacity;
        const std::int64_t result =
            result_of(::recvfrom(descriptor, d.bytes, d.size, 0, static_cast<::sockaddr*>(d.endpoint.data()), &size));
        if (result >= 0) d.endpoint.set_size(size);
        return result;
      },
      &datagram, error);
  if (error) return {};
  unmap(datagram.endpoint);
  return {static_cast<std::size_t>(received), datagram.endpoint};
}
std::pair<std::size_t, Endpoint> UdpSocket::receive_from(std::span<std::byte> buffer) {
  return or_throw("UdpSocket::receive_from", [&](std::error_code& error) { return receive_from(buffer, error); });
}

void UdpSocket::set_deadline(TimePoint time) { set_deadlines(socket_, true, true, time); }
void UdpSocket::set_read_deadline(TimePoint time) { set_deadlines(socket_, true, false, time); }
void UdpSocket::set_write_deadline(TimePoint time) { set_deadlines(socket_, false, true, time); }
Endpoint UdpSocket::local_endpoint(std::error_code& error) const { return endpoint_of(socket_, &::getsockname, error); }
Endpoint UdpSocket::local_endpoint() const {
  return or_throw("UdpSocket::local_endpoint", [&](std::error_code& error) { return local_endpoint(error); });
}
void UdpSocket::close() noexcept {
  if (socket_) socket_->close();
}

}  // namespace tandem::net
