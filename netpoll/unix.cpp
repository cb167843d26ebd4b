#include "tandem/net/unix.h"

#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include "netpoll/system_call.h"
#include "runtime/seam/safepoint.h"

namespace tandem::net {

using detail::SocketOwner;

namespace {

struct Address {
  ::sockaddr_un name{};
  ::socklen_t size = 0;

  const ::sockaddr* data() const { return reinterpret_cast<const ::sockaddr*>(&name); }
};

bool is_abstract(std::string_view path) { return !path.empty() && path.front() == '@'; }

Address address_of(std::string_view path, std::error_code& error) {
  Address address;
  error.clear();
  if (path.empty() || path.size() >= sizeof address.name.sun_path || path.find('\0') != std::string_view::npos) {
    error = std::make_error_code(path.empty() ? std::errc::invalid_argument : std::errc::filename_too_long);
    return address;
  }
  address.name.sun_family = AF_UNIX;
  std::memcpy(address.name.sun_path, path.data(), path.size());
  if (is_abstract(path)) address.name.sun_path[0] = '\0';
  // An abstract name is as long as it is said to be; a path ends with a zero.
  address.size =
      static_cast<::socklen_t>(offsetof(::sockaddr_un, sun_path) + path.size() + (is_abstract(path) ? 0 : 1));
  return address;
}

struct Descriptor {
  int number;
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
};

}  // namespace

// While the listener's queue is full, a Unix socket's connect() says EAGAIN, and no event tells when to try again. The socket
// is registered once it is connected, as before that it has hung up.
UnixStream UnixStream::connect(std::string_view path, std::error_code& error) {
  const Address address = address_of(path, error);
  if (error) return {};
  check_runs("UnixStream::connect");
  seam::poll();
  std::int64_t result = result_of(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  Descriptor descriptor{static_cast<int>(result)};
  while (result >= 0) {
    result = result_of(::connect(descriptor.number, address.data(), address.size));
    if (result >= 0) {
      SocketOwner socket = own(std::exchange(descriptor.number, -1), error);
      return error ? UnixStream() : UnixStream(std::move(socket));
    }
    if (result == -EAGAIN) pause("UnixStream::connect");
    if (result == -EAGAIN || result == -EINTR) result = 0;
  }
  error.assign(static_cast<int>(-result), std::generic_category());
  return {};
}
UnixStream UnixStream::connect(std::string_view path) {
  return or_throw("UnixStream::connect", path, [&](std::error_code& error) { return connect(path, error); });
}

UnixListener UnixListener::bind(std::string_view path, std::error_code& error) {
  Address address = address_of(path, error);
  UnixListener listener;
  if (error) return listener;
  listener.socket_ = make_socket(AF_UNIX, SOCK_STREAM, error);
  if (error) return listener;
  listener.socket_->call(
      [](int descriptor, void* argument) {
        const auto& to = *static_cast<const Address*>(argument);
        return result_of(::bind(descriptor, to.data(), to.size));
      },
      &address, error);
  if (!error && !is_abstract(path)) listener.path_ = std::make_unique<Path>(path);
  if (!error)
    listener.socket_->call([](int descriptor, void*) { return result_of(::listen(descriptor, 4096)); }, nullptr, error);
  if (error) listener = {};
  return listener;
}
UnixListener UnixListener::bind(std::string_view path) {
  return or_throw("UnixListener::bind", path, [&](std::error_code& error) { return bind(path, error); });
}

UnixStream UnixListener::accept(std::error_code& error) {
  SocketOwner socket = accept_from(socket_, error);
  return error ? UnixStream() : UnixStream(std::move(socket));
}
UnixStream UnixListener::accept() {
  return or_throw("UnixListener::accept", [&](std::error_code& error) { return accept(error); });
}

void UnixListener::set_deadline(TimePoint time) { set_deadlines(socket_, true, false, time); }

void UnixListener::close() noexcept {
  if (path_ && !path_->removed.exchange(true, std::memory_order_relaxed)) ::unlink(path_->name.c_str());
  if (socket_) socket_->close();
}

}  // namespace tandem::net
