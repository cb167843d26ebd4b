// A key-value store that speaks the Redis protocol: its data set in the managed heap, a goroutine for each connection.
// Its parts lie in kv/: connection.cpp, request_parser.cpp, command.cpp, store.cpp.
//
//   kv_server --port 6379     serves until SIGINT or SIGTERM: try it with redis-cli and redis-benchmark
//   kv_server                 serves a hundred clients of its own, and ends
#include <tandem/tandem.h>
#include <CLI/CLI.hpp>
#include <cstdio>
#include <optional>
#include <string>

#include "examples/kv/connection.h"
#include "examples/server/serve.h"

using namespace tandem;

namespace {

/// Increments a counter ten times in one write; true if the answers are ten ascending numbers.
bool increment(const net::Endpoint& server) {
  net::TcpStream stream = net::TcpStream::connect(server);
  for (int i = 0; i < 10; ++i) stream.write("*2\r\n$4\r\nINCR\r\n$7\r\ncounter\r\n");
  stream.shutdown_write();
  std::string answers;
  std::array<char, 512> buffer;
  while (const std::size_t bytes = stream.read(std::as_writable_bytes(std::span(buffer))))
    answers.append(buffer.data(), bytes);
  int last = 0, ascending = 0;
  for (std::size_t at = 0; at < answers.size() && answers[at] == ':'; at = answers.find('\n', at) + 1) {
    const int number = std::stoi(answers.substr(at + 1));
    ascending += number > std::exchange(last, number);
  }
  return ascending == 10;
}

int serve_own_clients() {
  kv::Server state;
  net::TcpListener listener = net::TcpListener::bind("127.0.0.1:0");
  WaitGroup server, clients;
  server.go(
      [&] { server::serve(listener, [&](net::TcpStream stream) { kv::serve_client(std::move(stream), state); }); });
  std::atomic<int> right{0};
  for (int i = 0; i < 100; ++i) clients.go([&] { right += increment(listener.local_endpoint()); });
  clients.wait();
  listener.close();
  server.wait();
  const std::string sum(state.store->find("counter")->string->view());
  std::printf("%d of 100 clients got the right answers, the counter is %s\n", right.load(), sum.c_str());
  return right == 100 && sum == "1000" ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App options{"A key-value store that speaks the Redis protocol"};
  std::optional<std::uint16_t> port;
  std::string host = "127.0.0.1";
  std::int64_t write_timeout_ms = 60'000;
  Options runtime;
  options.add_option("--port", port, "where to listen; 0: a free port, which is printed. Not given: a demonstration");
  options.add_option("--host", host, "the address to listen on")->capture_default_str();
  options
      .add_option("--processors", runtime.processors,
                  "goroutines that run at the same time; 0: the CPUs of the process")
      ->check(CLI::Range(0, 256));
  options.add_option("--write-timeout-ms", write_timeout_ms, "how long a client may leave its answers unread")
      ->check(CLI::Range(1, 3'600'000))
      ->capture_default_str();
  CLI11_PARSE(options, argc, argv);
  if (!port) return run(runtime, &serve_own_clients);
  server::block_stop_signals();
  server::raise_descriptor_limit();
  return run(runtime, [&] {
    kv::Server state;
    state.write_timeout = std::chrono::milliseconds(write_timeout_ms);
    return server::serve_until_signal(host + ":" + std::to_string(*port),
                                      [&](net::TcpStream stream) { kv::serve_client(std::move(stream), state); });
  });
}
