#pragma once
// What the servers have in common: the loop that accepts, the signals that end it, how a connection that broke the
// rules is closed, and the counts by which one sees that nothing has leaked.
#include <tandem/tandem.h>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <string>
#include <system_error>
#include <utility>

namespace server {

/// SIGINT and SIGTERM are from now on for wait_for_stop_signal() alone. Call it before tandem::run, whose threads
/// inherit that.
void block_stop_signals();
/// Waits for one of the two. Not to be cancelled.
void wait_for_stop_signal();

/// As many descriptors as the system's administrator allows.
void raise_descriptor_limit();

/// Before a connection is closed with unread input: closing it at once would reset it, and the client might lose what
/// was written last. Waits for the client's end of the stream, a second at most.
void linger(tandem::net::TcpStream& stream);

/// What is in use. `descriptors` is 0 where /proc is missing.
struct Usage {
  std::size_t goroutines = 0, descriptors = 0;
  std::uint64_t live_bytes = 0;  // of the managed heap, as of the last cycle
};
Usage usage();

/// Accepts connections until the listener is closed and calls handler(stream) for each, on a goroutine of its own. When
/// it returns, all of them have ended: those that wait are thrown Cancelled. Other exceptions of a handler end its
/// connection only.
template <class Handler>
void serve(tandem::net::TcpListener& listener, Handler handler) {
  tandem::TaskGroup connections;
  for (;;) {
    std::error_code error;
    tandem::net::TcpStream stream = listener.accept(error);
    if (error == std::errc::operation_canceled) return;
    if (error) {
      std::fprintf(stderr, "accept: %s\n", error.message().c_str());
      continue;
    }
    connections.go([&handler, stream = std::move(stream)]() mutable {
      try {
        handler(std::move(stream));
      } catch (const std::exception& failure) {
        std::fprintf(stderr, "connection closed: %s\n", failure.what());
      }
    });
  }
}

/// The whole life of a server that was given an address: listens, says so, serves until a signal comes, and prints the
/// counts that remain. Returns the exit status.
template <class Handler>
int serve_until_signal(const std::string& address, Handler handler) {
  std::error_code error;
  tandem::net::TcpListener listener = tandem::net::TcpListener::bind(address, error);
  if (error) {
    std::fprintf(stderr, "cannot listen on %s: %s\n", address.c_str(), error.message().c_str());
    return 1;
  }
  tandem::WaitGroup closing;  // the listener must not go before close() has returned
  closing.go([&listener] {
    wait_for_stop_signal();
    listener.close();
  });
  std::printf("listening on %s\n", listener.local_endpoint().to_string().c_str());
  std::fflush(stdout);
  serve(listener, std::move(handler));
  closing.wait();
  const Usage left = usage();
  std::printf("stopped: %zu goroutines, %zu descriptors\n", left.goroutines, left.descriptors);
  return 0;
}

}  // namespace server
