// What a server costs that does nothing but its system calls: a loop over epoll in each thread, level-triggered, one recv and one
// send an event, no state a connection. The limit that servers with a goroutine a connection are compared with.
//
//   epoll-server echo PORT THREADS    sends back what it receives
//   epoll-server http PORT THREADS    a fixed response for each end of a header
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

constexpr std::string_view kResponse =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, World!";
constexpr std::string_view kEndOfHeader = "\r\n\r\n";

void require(bool condition, const char* what) {
  if (condition) return;
  std::perror(what);
  std::exit(1);
}

int listen_on(std::uint16_t port) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEPORT, &on,
               sizeof on);  // a listener a thread, among which the kernel deals out
  ::sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  require(::bind(listener, reinterpret_cast<::sockaddr*>(&address), sizeof address) == 0, "bind");
  require(::listen(listener, 4096) == 0, "listen");
  return listener;
}

std::string responses_to(std::string_view received) {
  std::string responses;
  for (std::size_t at = received.find(kEndOfHeader); at != received.npos; at = received.find(kEndOfHeader, at + 1))
    responses += kResponse;
  return responses;
}

void watch(int epoll, int descriptor) {
  ::epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = descriptor;
  require(::epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0, "epoll_ctl");
}

/// False: the connection has ended.
bool answer(int connection, bool http) {
  char buffer[4096];
  const ::ssize_t bytes = ::recv(connection, buffer, sizeof buffer, 0);
  if (bytes <= 0) return false;
  const std::string_view received(buffer, static_cast<std::size_t>(bytes));
  // The messages of the load are small: what is sent always fits.
  const std::string responses = http ? responses_to(received) : std::string();
  const std::string_view sent = http ? std::string_view(responses) : received;
  return ::send(connection, sent.data(), sent.size(), MSG_NOSIGNAL) == static_cast<::ssize_t>(sent.size());
}

void serve(int listener, bool http) {
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  watch(epoll, listener);
  ::epoll_event events[128];
  for (;;) {
    const int found = ::epoll_wait(epoll, events, 128, -1);
    for (int i = 0; i < found; ++i) {
      const int descriptor = events[i].data.fd;
      if (descriptor != listener) {
        if (!answer(descriptor, http)) ::close(descriptor);
        continue;
      }
      const int connection = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (connection < 0) continue;
      const int on = 1;
      ::setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      watch(epoll, connection);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view mode = argc == 4 ? argv[1] : "";
  if (mode != "echo" && mode != "http") {
    std::fprintf(stderr, "usage: %s echo|http PORT THREADS\n", argv[0]);
    return 2;
  }
  std::vector<std::thread> threads;
  for (int i = 0; i < std::atoi(argv[3]); ++i)
    threads.emplace_back(&serve, listen_on(static_cast<std::uint16_t>(std::atoi(argv[2]))), mode == "http");
  for (std::thread& thread : threads) thread.join();
}
