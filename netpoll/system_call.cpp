#include "netpoll/system_call.h"

#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <new>

#include "runtime/base/assert.h"
#include "runtime/base/clock.h"
#include "runtime/seam/registry.h"
#include "tandem/detail/duration.h"
#include "tandem/net/lookup.h"

namespace tandem::net {

using detail::Socket;
using detail::SocketOwner;

std::int64_t result_of(std::int64_t result) { return result >= 0 ? result : -errno; }

SocketOwner own(int descriptor, std::error_code& error) {
  try {
    if (auto* const socket = new (std::nothrow) Socket(descriptor)) return SocketOwner(socket);
    ::close(descriptor);  // no memory; what fails later gives the descriptor back itself
    error = std::make_error_code(std::errc::not_enough_memory);
  } catch (const std::system_error& failed) {
    error = failed.code();
  }
  return nullptr;
}

SocketOwner make_socket(int family, int type, std::error_code& error) {
  const std::int64_t descriptor = result_of(::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (descriptor >= 0) return own(static_cast<int>(descriptor), error);
  error.assign(static_cast<int>(-descriptor), std::generic_category());
  return nullptr;
}

void set_option(Socket& socket, int level, int option, int value, std::error_code& error) {
  struct Option {
    int level, option, value;
  } chosen{level, option, value};
  socket.call(
      [](int descriptor, void* argument) {
        const auto& o = *static_cast<const Option*>(argument);
        return result_of(::setsockopt(descriptor, o.level, o.option, &o.value, sizeof o.value));
      },
      &chosen, error);
}

Endpoint endpoint_of(const SocketOwner& socket, int (*get)(int, ::sockaddr*, ::socklen_t*), std::error_code& error) {
  struct Query {
    int (*get)(int, ::sockaddr*, ::socklen_t*);
    Endpoint endpoint;
  } query{get, {}};
  error = socket ? std::error_code() : no_socket();
  if (socket)
    socket->call(
        [](int descriptor, void* argument) {
          auto& q = *static_cast<Query*>(argument);
          ::socklen_t size = Endpoint::kCapacity;
          const std::int64_t result = result_of(q.get(descriptor, static_cast<::sockaddr*>(q.endpoint.data()), &size));
          if (result >= 0) q.endpoint.set_size(size);
          return result;
        },
        &query, error);
  unmap(query.endpoint);
  return error ? Endpoint() : query.endpoint;
}

void check_runs(const char* operation) {
  if (seam::registry.scheduler == nullptr) base::fatal("%s was called outside of tandem::run", operation);
}

void run_blocking(const char* operation, void (*function)(void*), void* argument) {
  check_runs(operation);
  seam::registry.scheduler->run_blocking(function, argument);
}

void pause(const char* reason) {
  constexpr std::uint64_t kPauseNs = 5'000'000;
  seam::registry.scheduler->park_published([](void*, seam::ParkTicket) { return true; }, nullptr,
                                           base::now_ns() + kPauseNs, reason);
  seam::registry.scheduler->check_cancelled();
}

bool connected_to_itself(int descriptor) {
  Endpoint here, there;
  ::socklen_t size_here = Endpoint::kCapacity, size_there = Endpoint::kCapacity;
  if (::getsockname(descriptor, static_cast<::sockaddr*>(here.data()), &size_here) != 0 ||
      ::getpeername(descriptor, static_cast<::sockaddr*>(there.data()), &size_there) != 0)
    return false;
  here.set_size(size_here);
  there.set_size(size_there);
  return here == there;
}

void set_deadlines(const SocketOwner& socket, bool read, bool write, TimePoint time) {
  if (!socket) return;
  const std::uint64_t deadline_ns = time == TimePoint::max() ? UINT64_MAX : detail::deadline_ns(time);
  if (read) socket->set_deadline(netpoll::kRead, deadline_ns);
  if (write) socket->set_deadline(netpoll::kWrite, deadline_ns);
}

namespace {

bool given_up(const std::error_code& error) {
  return error == std::errc::connection_aborted || error == std::errc::protocol_error;
}

/// The system is short of something, and will be so at once again: the connection stays in the queue.
bool short_of_resources(const std::error_code& error) {
  return error == std::errc::too_many_files_open || error == std::errc::too_many_files_open_in_system ||
         error == std::errc::no_buffer_space || error == std::errc::not_enough_memory;
}

}  // namespace

SocketOwner accept_from(const SocketOwner& listener, std::error_code& error) {
  if (!listener) {
    error = no_socket();
    return nullptr;
  }
  for (;;) {
    const std::int64_t descriptor = listener->perform(
        netpoll::kRead, "accept",
        [](int listening, void*) {
          return result_of(::accept4(listening, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        },
        nullptr, error);
    if (descriptor >= 0) return own(static_cast<int>(descriptor), error);
    if (given_up(error)) continue;
    if (short_of_resources(error)) pause("accept");
    return nullptr;
  }
}

bool split_address(std::string_view address, std::string& host, std::uint16_t& port) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos) return false;
  std::string_view name = address.substr(0, colon);
  const std::string_view digits = address.substr(colon + 1);
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (digits.empty() || parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size()) return false;
  if (!name.empty() && name.front() == '[') {
    if (name.size() < 2 || name.back() != ']') return false;
    name = name.substr(1, name.size() - 2);
  } else if (name.find(':') != std::string_view::npos) {
    return false;  // an IPv6 address without brackets
  }
  host = name;
  return true;
}

std::vector<Endpoint> resolve(std::string_view address, bool any, std::error_code& error) {
  std::string host;
  std::uint16_t port = 0;
  if (!split_address(address, host, port) || (host.empty() && !any)) {
    error = std::make_error_code(std::errc::invalid_argument);
    return {};
  }
  std::vector<Endpoint> endpoints;
  const std::vector<std::string> found = host.empty() ? std::vector<std::string>{"::", "0.0.0.0"} : lookup(host, error);
  for (const std::string& one : found) {
    Endpoint endpoint;
    if (parse_address(one, port, endpoint)) endpoints.push_back(endpoint);
  }
  if (!error && endpoints.empty()) error = std::make_error_code(std::errc::address_not_available);
  return endpoints;
}

}  // namespace tandem::net
