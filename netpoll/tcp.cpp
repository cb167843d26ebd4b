#include "tandem/net/tcp.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "netpoll/system_call.h"
#include "runtime/base/clock.h"

namespace tandem::net {

using detail::SocketOwner;

namespace {

constexpr int kBacklog = 4096;  // the kernel cuts it down to net.core.somaxconn

int family_of(const Endpoint& endpoint) { return static_cast<const ::sockaddr*>(endpoint.data())->sa_family; }

// Asked again once the socket is writable, connect() tells how it went.
std::int64_t connect_once(int descriptor, void* argument) {
  const auto& endpoint = *static_cast<const Endpoint*>(argument);
  const std::int64_t result =
      result_of(::connect(descriptor, static_cast<const ::sockaddr*>(endpoint.data()), endpoint.size()));
  if (result == -EISCONN) return 0;
  return result == -EINPROGRESS || result == -EALREADY ? -EAGAIN : result;
}

SocketOwner connect_to_any_peer(Endpoint endpoint, std::uint64_t deadline_ns, std::error_code& error) {
  SocketOwner socket = make_socket(family_of(endpoint), SOCK_STREAM, error);
  if (error) return nullptr;
  socket->trust_short_reads();
  socket->set_deadline(netpoll::kWrite, deadline_ns);
  socket->perform(netpoll::kWrite, "connect", &connect_once, &endpoint, error);
  if (error) return nullptr;
  socket->set_deadline(netpoll::kWrite, UINT64_MAX);
  set_option(*socket, IPPROTO_TCP, TCP_NODELAY, 1, error);
  return error ? nullptr : std::move(socket);
}

// A stream connected to itself is of no use, and keeps the port from who would listen on it. Go tries as often (selfConnect).
SocketOwner connect_to(const Endpoint& endpoint, std::uint64_t deadline_ns, std::error_code& error) {
  for (int tries = 3; tries > 0; --tries) {
    SocketOwner socket = connect_to_any_peer(endpoint, deadline_ns, error);
    if (error) return nullptr;
    const auto ask = [](int descriptor, void*) -> std::int64_t { return connected_to_itself(descriptor) ? 1 : 0; };
    if (socket->call(ask, nullptr, error) == 0) return socket;
  }
  error = std::make_error_code(std::errc::connection_refused);
  return nullptr;
}

SocketOwner listen_on(const Endpoint& endpoint, std::error_code& error) {
  SocketOwner socket = make_socket(family_of(endpoint), SOCK_STREAM, error);
  if (!error) set_option(*socket, SOL_SOCKET, SO_REUSEADDR, 1, error);
  if (error) return nullptr;
  socket->call(
      [](int descriptor, void* argument) {
        const auto& to = *static_cast<const Endpoint*>(argument);
        const std::int64_t bound = result_of(::bind(descriptor, static_cast<const ::sockaddr*>(to.data()), to.size()));
        return bound < 0 ? bound : result_of(::listen(descriptor, kBacklog));
      },
      const_cast<Endpoint*>(&endpoint), error);
  return error ? nullptr : std::move(socket);
}

}  // namespace

TcpStream TcpStream::connect_within(std::string_view address, std::uint64_t timeout_ns, std::error_code& error) {
  error.clear();
  const std::uint64_t deadline_ns = timeout_ns >= detail::kLongestNs ? UINT64_MAX : base::now_ns() + timeout_ns;
  const std::vector<Endpoint> endpoints = resolve(address, false, error);
  if (error && deadline_ns != UINT64_MAX && base::now_ns() >= deadline_ns && error != std::errc::invalid_argument)
    error = std::make_error_code(std::errc::timed_out);  // the resolver knows of no deadline, and has taken longer
  for (const Endpoint& endpoint : endpoints) {
    error.clear();
    SocketOwner socket = connect_to(endpoint, deadline_ns, error);
    if (!error) return TcpStream(std::move(socket));
    if (error == std::errc::timed_out && base::now_ns() >= deadline_ns) break;
  }
  return {};
}
TcpStream TcpStream::connect_within(std::string_view address, std::uint64_t timeout_ns) {
  return or_throw("TcpStream::connect", address,
                  [&](std::error_code& error) { return connect_within(address, timeout_ns, error); });
}

Endpoint TcpStream::local_endpoint(std::error_code& error) const { return endpoint_of(socket_, &::getsockname, error); }
Endpoint TcpStream::local_endpoint() const {
  return or_throw("TcpStream::local_endpoint", [&](std::error_code& error) { return local_endpoint(error); });
}
Endpoint TcpStream::remote_endpoint(std::error_code& error) const {
  return endpoint_of(socket_, &::getpeername, error);
}
Endpoint TcpStream::remote_endpoint() const {
  return or_throw("TcpStream::remote_endpoint", [&](std::error_code& error) { return remote_endpoint(error); });
}

void TcpStream::set_no_delay(bool on, std::error_code& error) {
  error = socket_ ? std::error_code() : no_socket();
  if (!error) set_option(*socket_, IPPROTO_TCP, TCP_NODELAY, on ? 1 : 0, error);
}
void TcpStream::set_no_delay(bool on) {
  or_throw("TcpStream::set_no_delay", [&](std::error_code& error) { return set_no_delay(on, error), 0; });
}

TcpListener TcpListener::bind(std::string_view address, std::error_code& error) {
  error.clear();
  const std::vector<Endpoint> endpoints = resolve(address, true, error);
  for (const Endpoint& endpoint : endpoints) {
    error.clear();
    SocketOwner socket = listen_on(endpoint, error);
    if (!error) return TcpListener(std::move(socket));
  }
  return {};
}
TcpListener TcpListener::bind(std::string_view address) {
  return or_throw("TcpListener::bind", address, [&](std::error_code& error) { return bind(address, error); });
}

TcpStream TcpListener::accept(std::error_code& error) {
  SocketOwner socket = accept_from(socket_, error);
  if (socket) socket->trust_short_reads();
  if (!error) set_option(*socket, IPPROTO_TCP, TCP_NODELAY, 1, error);
  return error ? TcpStream() : TcpStream(std::move(socket));
}
TcpStream TcpListener::accept() {
  return or_throw("TcpListener::accept", [&](std::error_code& error) { return accept(error); });
}

void TcpListener::set_deadline(TimePoint time) { set_deadlines(socket_, true, false, time); }
Endpoint TcpListener::local_endpoint(std::error_code& error) const {
  return endpoint_of(socket_, &::getsockname, error);
}
Endpoint TcpListener::local_endpoint() const {
  return or_throw("TcpListener::local_endpoint", [&](std::error_code& error) { return local_endpoint(error); });
}
void TcpListener::close() noexcept {
  if (socket_) socket_->close();
}

}  // namespace tandem::net
