// An HTTP/1.1 server: keep-alive, pipelining, bodies by length or in chunks; a goroutine for each connection. Its parts
// lie in http/: connection.cpp, request_parser.cpp (on top of Boost.Beast), response.cpp.
//
//   http_server --port 8080   serves until SIGINT or SIGTERM: try it with curl and wrk
//   http_server               serves a hundred clients of its own, and ends
#include <tandem/tandem.h>
#include <CLI/CLI.hpp>
#include <cstdio>
#include <optional>
#include <string>

#include "examples/http/connection.h"
#include "examples/server/serve.h"

using namespace tandem;

namespace {

/// True if three requests in one write get three greetings.
bool ask(const net::Endpoint& server) {
  net::TcpStream stream = net::TcpStream::connect(server);
  std::string requests;
  for (int i = 0; i < 3; ++i) requests += "GET / HTTP/1.1\r\nHost: example\r\n\r\n";
  stream.write(requests);
  stream.shutdown_write();
  std::string answers;
  std::array<char, 512> buffer;
  while (const std::size_t bytes = stream.read(std::as_writable_bytes(std::span(buffer))))
    answers.append(buffer.data(), bytes);
  int greetings = 0;
  for (std::size_t at = answers.find("Hello, World!"); at != std::string::npos;
       at = answers.find("Hello, World!", at + 1))
    ++greetings;
  return greetings == 3;
}

int serve_own_clients(const http::Settings& settings) {
  net::TcpListener listener = net::TcpListener::bind("127.0.0.1:0");
  WaitGroup server, clients;
  server.go([&] {
    server::serve(listener, [&](net::TcpStream stream) { http::serve_client(std::move(stream), settings); });
  });
  std::atomic<int> right{0};
  for (int i = 0; i < 100; ++i) clients.go([&] { right += ask(listener.local_endpoint()); });
  clients.wait();
  listener.close();
  server.wait();
  std::printf("%d of 100 clients got three greetings\n", right.load());
  return right == 100 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App options{"An HTTP/1.1 server"};
  std::optional<std::uint16_t> port;
  std::string host = "127.0.0.1";
  http::Settings settings;
  std::int64_t timeout_ms = settings.timeout.count();
  Options runtime;
  options.add_option("--port", port, "where to listen; 0: a free port, which is printed. Not given: a demonstration");
  options.add_option("--host", host, "the address to listen on")->capture_default_str();
  options
      .add_option("--processors", runtime.processors,
                  "goroutines that run at the same time; 0: the CPUs of the process")
      ->check(CLI::Range(0, 256));
  options.add_option("--timeout-ms", timeout_ms, "how long a client may take for a request, or between two")
      ->check(CLI::Range(1, 3'600'000))
      ->capture_default_str();
  CLI11_PARSE(options, argc, argv);
  settings.timeout = std::chrono::milliseconds(timeout_ms);
  if (!port) return run(runtime, [&] { return serve_own_clients(settings); });
  server::block_stop_signals();
  server::raise_descriptor_limit();
  return run(runtime, [&] {
    return server::serve_until_signal(host + ":" + std::to_string(*port),
                                      [&](net::TcpStream stream) { http::serve_client(std::move(stream), settings); });
  });
}
