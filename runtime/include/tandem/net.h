#pragma once
/// \file
/// The network. Blocking calls park the goroutine, never the thread.
///
/// \code
///   auto listener = tandem::net::TcpListener::bind("127.0.0.1:8080");
///   for (;;)
///     tandem::go([stream = listener.accept()]() mutable {
///       std::array<std::byte, 4096> buffer;
///       while (std::size_t n = stream.read(buffer)) stream.write(std::span(buffer).first(n));
///     });
/// \endcode
///
/// Every call that can fail has two forms: one throws std::system_error, the other takes a std::error_code& as its last argument and does
/// not. (set_*deadline and close cannot fail.) std::errc::timed_out: the deadline
/// has come; std::errc::operation_canceled: closed here. Both forms throw Cancelled, as everything that parks does. All calls are
/// for goroutines, inside of a run; close() and destructors are for any thread. Goroutines that read from (or accept on, or write to) the
/// same socket take turns, first come, first served; what one write() is given may then be mixed with what others are.

#include <tandem/net/endpoint.h>
#include <tandem/net/lookup.h>
#include <tandem/net/tcp.h>
#include <tandem/net/udp.h>
#include <tandem/net/unix.h>
