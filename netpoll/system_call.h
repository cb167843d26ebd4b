#pragma once
// What the calls of tandem/net/ share: errors of both kinds, sockets, addresses.

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "netpoll/socket.h"
#include "tandem/net/endpoint.h"
#include "tandem/net/stream.h"

namespace tandem::net {

/// The result of a system call, or -errno. Not inlined with its caller, which may park and go on on another thread, with another errno.
[[gnu::noinline]] std::int64_t result_of(std::int64_t result);

/// Makes the throwing form of a call from the other one: what() begins with `what`, and its argument.
template <class Call>
auto or_throw(const char* what, std::string_view argument, Call call) {
  std::error_code error;
  auto result = call(error);
  if (!error) return result;
  std::string text = std::string("tandem::net::") + what;
  if (!argument.empty()) text += "(\"" + std::string(argument) + "\")";
  throw std::system_error(error, text);
}
template <class Call>
auto or_throw(const char* what, Call call) {
  return or_throw(what, std::string_view(), std::move(call));
}

/// A fatal error where nothing runs: `operation` is a public function that is called on a goroutine.
void check_runs(const char* operation);
/// Calls function(argument), which may block the thread, for the public function `operation`. On a goroutine; a fatal error where
/// nothing runs.
void run_blocking(const char* operation, void (*function)(void*), void* argument);

/// The pause before something that the system is short of is asked for again: some milliseconds. Throws
/// Cancelled; on a goroutine only.
void pause(const char* reason);

/// A registered socket for the descriptor, which it owns from now on; on error it is closed.
detail::SocketOwner own(int descriptor, std::error_code& error);
/// A new one; null on error.
detail::SocketOwner make_socket(int family, int type, std::error_code& error);

void set_option(detail::Socket& socket, int level, int option, int value, std::error_code& error);
Endpoint endpoint_of(const detail::SocketOwner& socket, int (*get)(int, ::sockaddr*, ::socklen_t*),
                     std::error_code& error);
/// An IPv4 address in its IPv6 form (::ffff:127.0.0.1), which is how an IPv6 socket names its IPv4 peers, becomes IPv4.
void unmap(Endpoint& endpoint);
/// An address without brackets, IPv4 or IPv6, with a scope (%lo, %1) or without; false if it is none.
bool parse_address(const std::string& host, std::uint16_t port, Endpoint& endpoint);
/// Is the connected socket its own peer? That is what becomes of connecting to a local port that nobody listens on, if the
/// system chooses this very port for the near end (TCP's simultaneous open).
bool connected_to_itself(int descriptor);
/// TimePoint::max(): none. A null socket is passed over.
void set_deadlines(const detail::SocketOwner& socket, bool read, bool write, TimePoint time);
/// A connection accepted from the listener, or null.
detail::SocketOwner accept_from(const detail::SocketOwner& listener, std::error_code& error);

/// "host:port" in its parts; false if it is not of that form.
bool split_address(std::string_view address, std::string& host, std::uint16_t& port);
/// The endpoints that it stands for, at least one; the host may be empty if `any` is true.
std::vector<Endpoint> resolve(std::string_view address, bool any, std::error_code& error);

inline std::error_code no_socket() { return std::make_error_code(std::errc::bad_file_descriptor); }

}  // namespace tandem::net
