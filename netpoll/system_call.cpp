#include "netpoll/system_call.h"

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
    return SocketOwner(new Socket(descriptor));
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
  return error ? Endpoint() : query.endpoint;
}

void run_blocking(const char* operation, void (*function)(void*), void* argument) {
  if (seam::registry.scheduler == nullptr) base::fatal("%s was called outside of tandem::run", operation);
  seam::registry.scheduler->run_blocking(function, argument);
}

void set_deadlines(const SocketOwner& socket, bool read, bool write, TimePoint time) {
  if (!socket) return;
  const std::uint64_t deadline_ns = time == TimePoint::max() ? UINT64_MAX : detail::deadline_ns(time);
  if (read) socket->set_deadline(netpoll::kRead, deadline_ns);
  if (write) socket->set_deadline(netpoll::kWrite, deadline_ns);
}

namespace {

constexpr std::uint64_t kPauseWithoutDescriptorsNs = 5'000'000;

void pause() {
  seam::registry.scheduler->park_published([](void*, seam::ParkTicket) { return true; }, nullptr,
                                           base::now_ns() + kPauseWithoutDescriptorsNs, "accept");
  seam::registry.scheduler->check_cancelled();
}

bool given_up(const std::error_code& error) {
  return error == std::errc::connection_aborted || error == std::errc::protocol_error;
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
    if (error == std::errc::too_many_files_open || error == std::errc::too_many_files_open_in_system) pause();
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
    const bool v6 = one.find(':') != std::string::npos;
    endpoints.push_back(Endpoint::parse((v6 ? "[" + one + "]" : one) + ":" + std::to_string(port), error));
    if (error) return {};
  }
  return endpoints;
}

}  // namespace tandem::net
