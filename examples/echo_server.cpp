// An echo server with a goroutine for each connection, written as if reads and writes blocked.
//
//   echo_server 127.0.0.1:7777    serves until it is killed: try it with `nc 127.0.0.1 7777`
//   echo_server                   serves a hundred clients of its own, and ends
#include <tandem/tandem.h>
#include <array>
#include <cstdio>
#include <string>
#include <system_error>

using namespace tandem;

namespace {

void echo(net::TcpStream stream) {
  std::array<std::byte, 1024> buffer;  // with so much a connection that waits keeps a single page of stack
  while (const std::size_t bytes = stream.read(buffer)) stream.write(std::span(buffer).first(bytes));
}

/// Returns when the listener is closed.
void serve(net::TcpListener& listener) {
  for (;;) {
    std::error_code error;
    net::TcpStream stream = listener.accept(error);
    if (error == std::errc::operation_canceled) return;
    if (error) {
      std::fprintf(stderr, "accept: %s\n", error.message().c_str());
      continue;
    }
    go([stream = std::move(stream)]() mutable {
      try {
        echo(std::move(stream));
      } catch (const std::system_error& gone) {
        std::fprintf(stderr, "a client went away: %s\n", gone.what());
      }
    });
  }
}

/// True if `text` comes back.
bool ask(const net::Endpoint& server, const std::string& text) {
  net::TcpStream stream = net::TcpStream::connect(server);
  stream.write(text);
  stream.shutdown_write();
  std::string answer;
  std::array<char, 100> buffer;
  while (const std::size_t bytes = stream.read(std::as_writable_bytes(std::span(buffer))))
    answer.append(buffer.data(), bytes);
  return answer == text;
}

int serve_own_clients() {
  net::TcpListener listener = net::TcpListener::bind("127.0.0.1:0");
  WaitGroup server, clients;
  server.go([&] { serve(listener); });
  std::atomic<int> answered{0};
  for (int i = 0; i < 100; ++i)
    clients.go([&, i] { answered += ask(listener.local_endpoint(), "message " + std::to_string(i)); });
  clients.wait();
  listener.close();
  server.wait();
  std::printf("%d of 100 clients got their message back\n", answered.load());
  return answered == 100 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  return run([&] {
    if (argc < 2) return serve_own_clients();
    try {
      net::TcpListener listener = net::TcpListener::bind(argv[1]);
      std::printf("listening on %s\n", listener.local_endpoint().to_string().c_str());
      std::fflush(stdout);
      serve(listener);
      return 0;
    } catch (const std::system_error& error) {
      std::fprintf(stderr, "%s\n", error.what());
      return 1;
    }
  });
}
