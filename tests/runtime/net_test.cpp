// The network over loopback: streams, ends of them, deadlines, closing, errors, and that nothing leaks.
#include <arpa/inet.h>
#include <dirent.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include <gtest/gtest.h>

#include "netpoll/system_call.h"
#include "tandem/tandem.h"
#include "tests/support/run_fixture.h"
#include "tests/support/scale.h"

namespace tandem::net {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

/// Descriptors of this process, by the end of a test as many as at its beginning.
std::size_t open_descriptors() {
  std::size_t count = 0;
  ::DIR* const directory = ::opendir("/proc/self/fd");
  while (::readdir(directory) != nullptr) ++count;
  ::closedir(directory);
  return count;
}

class NetTest : public test::OnProcessors {
 protected:
  void SetUp() override { before_ = open_descriptors(); }
  void TearDown() override { EXPECT_EQ(open_descriptors(), before_) << "descriptors leak"; }

 private:
  std::size_t before_ = 0;
};
TANDEM_ON_PROCESSORS(NetTest);

std::span<std::byte> bytes_of(std::string& text) { return std::as_writable_bytes(std::span(text)); }

std::string read_all(Stream& stream) {
  std::string all, part(1000, '\0');
  while (const std::size_t n = stream.read(bytes_of(part))) all.append(part, 0, n);
  return all;
}

struct TcpPair {
  TcpStream client, server;
};
TcpPair connected() {
  TcpListener listener = TcpListener::bind("127.0.0.1:0");
  TcpPair pair;
  WaitGroup group;
  group.go([&] { pair.client = TcpStream::connect(listener.local_endpoint().to_string()); });
  pair.server = listener.accept();
  group.wait();
  return pair;
}

/// The error that a call ends with.
template <class Call>
std::error_code error_of(Call call) {
  try {
    call();
  } catch (const std::system_error& error) {
    return error.code();
  }
  return {};
}

TEST_P(NetTest, WhatIsWrittenIsRead) {
  run_clean([] {
    auto [client, server] = connected();
    EXPECT_EQ(client.write("hello"), 5u);
    std::string buffer(100, '\0');
    EXPECT_EQ(server.read(bytes_of(buffer)), 5u);
    EXPECT_EQ(buffer.substr(0, 5), "hello");
    server.write("and back");
    server.close();
    EXPECT_EQ(read_all(client), "and back");
    EXPECT_EQ(client.read(bytes_of(buffer)), 0u);
    EXPECT_EQ(client.read({}), 0u);
  });
}

TEST_P(NetTest, AHalfClosedStreamCanStillBeRead) {
  run_clean([] {
    auto [client, server] = connected();
    client.write("question");
    client.shutdown_write();
    EXPECT_EQ(read_all(server), "question");
    server.write("answer");
    server.close();
    EXPECT_EQ(read_all(client), "answer");
  });
}

TEST_P(NetTest, MoreThanTheBuffersHoldGoesThroughInBothDirections) {
  run_clean([] {
    auto [client, server] = connected();
    const std::size_t kBytes = test::scaled<std::size_t>(8) << 20;
    std::string sent(std::max<std::size_t>(kBytes, 1 << 20), '\0');
    for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>(i * 31 + i / 257);
    WaitGroup group;
    std::string at_server, at_client;
    group.go([&] {
      client.write(sent);
      client.shutdown_write();
    });
    group.go([&] {
      server.write(sent);
      server.shutdown_write();
    });
    group.go([&] { at_server = read_all(server); });
    group.go([&] { at_client = read_all(client); });
    group.wait();
    EXPECT_TRUE(at_server == sent);
    EXPECT_TRUE(at_client == sent);
  });
}

TEST_P(NetTest, AServerOfManyConnections) {
  run_clean([] {
    const int kConnections = test::scaled(200, 20);
    TcpListener listener = TcpListener::bind("127.0.0.1:0");
    WaitGroup server;
    server.go([&] {
      for (int i = 0; i < kConnections; ++i)
        server.go([stream = listener.accept()]() mutable {
          std::array<std::byte, 64> buffer;
          while (const std::size_t n = stream.read(buffer)) stream.write(std::span(buffer).first(n));
        });
    });
    WaitGroup clients;
    std::atomic<int> right{0};
    for (int i = 0; i < kConnections; ++i)
      clients.go([&, i] {
        TcpStream stream = TcpStream::connect(listener.local_endpoint());
        for (int round = 0; round < 10; ++round) {
          const std::string text = std::to_string(i) + "/" + std::to_string(round);
          stream.write(text);
          std::string echo(text.size(), '\0');
          for (std::size_t got = 0; got < echo.size();) got += stream.read(bytes_of(echo).subspan(got));
          right += echo == text;
        }
      });
    clients.wait();
    server.wait();
    EXPECT_EQ(right, 10 * kConnections);
  });
}

TEST_P(NetTest, DeadlinesEndWaits) {
  run_clean([] {
    auto [client, server] = connected();
    std::string buffer(10, '\0');
    const auto start = steady_clock::now();
    client.set_read_deadline(start + 5ms);
    EXPECT_EQ(error_of([&] { client.read(bytes_of(buffer)); }), std::errc::timed_out);
    EXPECT_GE(steady_clock::now() - start, 5ms);
    EXPECT_EQ(error_of([&] { client.read(bytes_of(buffer)); }), std::errc::timed_out) << "it stays past";
    client.set_read_deadline(TimePoint::max());
    server.write("x");
    EXPECT_EQ(client.read(bytes_of(buffer)), 1u);
    client.set_write_deadline(steady_clock::now() + 5ms);
    std::error_code error;
    const std::string much(64 << 20, 'x');
    EXPECT_LT(client.write(much, error), much.size());
    EXPECT_EQ(error, std::errc::timed_out);
  });
}

TEST_P(NetTest, ADeadlineThatIsSetLaterWakesWhoWaits) {
  run_clean([] {
    auto [client, server] = connected();
    WaitGroup group;
    group.go([&, stream = &client] {
      std::string buffer(10, '\0');
      EXPECT_EQ(error_of([&] { stream->read(bytes_of(buffer)); }), std::errc::timed_out);
    });
    sleep_for(1ms);
    client.set_deadline(steady_clock::now() - 1s);
    group.wait();
  });
}

TEST_P(NetTest, ClosingWakesWhoWaits) {
  run_clean([] {
    for (int round = 0; round < 20; ++round) {
      auto [client, server] = connected();
      TcpListener listener = TcpListener::bind("127.0.0.1:0");
      WaitGroup group;
      group.go([&, stream = &client] {
        std::string buffer(10, '\0');
        EXPECT_EQ(error_of([&] { stream->read(bytes_of(buffer)); }), std::errc::operation_canceled);
      });
      group.go([&] { EXPECT_EQ(error_of([&] { listener.accept(); }), std::errc::operation_canceled); });
      if (round % 2 == 0) sleep_for(200us);
      client.close();
      listener.close();
      group.wait();
      EXPECT_EQ(error_of([&, stream = &client] { stream->write("x"); }), std::errc::operation_canceled);
      client.close();
    }
  });
}

// More goroutines than one accept from a listener, as servers in Go do; closing ends all of them.
TEST_P(NetTest, SeveralAcceptFromOneListener) {
  run_clean([] {
    constexpr int kAcceptors = 8, kConnections = 100;
    TcpListener listener = TcpListener::bind("127.0.0.1:0");
    std::atomic<int> accepted{0}, ended{0};
    WaitGroup acceptors, clients;
    for (int i = 0; i < kAcceptors; ++i)
      acceptors.go([&] {
        for (;;) {
          std::error_code error;
          TcpStream stream = listener.accept(error);
          if (error) {
            EXPECT_EQ(error, std::errc::operation_canceled);
            ++ended;
            return;
          }
          ++accepted;
          stream.write("x");
        }
      });
    for (int i = 0; i < kConnections; ++i)
      clients.go([&] {
        TcpStream stream = TcpStream::connect(listener.local_endpoint());
        EXPECT_EQ(read_all(stream), "x");
      });
    clients.wait();
    listener.close();
    acceptors.wait();
    EXPECT_EQ(accepted.load(), kConnections);
    EXPECT_EQ(ended.load(), kAcceptors);
  });
}

// Each byte goes to one of the readers; what ends the wait of one ends that of all: a deadline, the end of the stream.
TEST_P(NetTest, SeveralReadFromOneStream) {
  run_clean([] {
    constexpr int kReaders = 4, kBytes = 500;
    auto [client, server] = connected();
    std::atomic<int> received{0};
    const auto read_until_error = [&](TcpStream& stream) {
      std::string one(1, '\0');
      std::error_code error;
      while (stream.read(bytes_of(one), error) > 0) ++received;
      return error;
    };
    for (const bool by_deadline : {true, false}) {
      received = 0;
      std::vector<std::error_code> ends(kReaders);
      WaitGroup readers;
      for (int i = 0; i < kReaders; ++i) readers.go([&, i, stream = &server] { ends[i] = read_until_error(*stream); });
      for (int i = 0; i < kBytes; ++i) client.write("x");
      while (received < kBytes) yield();
      if (by_deadline)
        server.set_read_deadline(steady_clock::now());
      else
        client.close();
      readers.wait();
      EXPECT_EQ(received.load(), kBytes);
      for (const std::error_code& end : ends)
        EXPECT_EQ(end, by_deadline ? std::make_error_code(std::errc::timed_out) : std::error_code());
      server.set_read_deadline(TimePoint::max());
    }
  });
}

// A goroutine that waits for its turn behind another one is cancelled alone.
TEST_P(NetTest, CancellationEndsTheWaitForATurn) {
  run_clean([] {
    auto [client, server] = connected();
    WaitGroup first;
    first.go([&, stream = &client] { EXPECT_EQ(read_all(*stream), "x"); });
    std::atomic<bool> cancelled{false};
    sleep_for(1ms);
    try {
      TaskGroup group;
      std::atomic<bool> waits{false};
      group.go([&, stream = &client] {
        std::string buffer(10, '\0');
        try {
          waits = true;
          stream->read(bytes_of(buffer));
        } catch (const Cancelled&) {
          cancelled = true;
          throw;
        }
      });
      group.go([&] {
        while (!waits) yield();
        throw std::runtime_error("one fails, the others are cancelled");
      });
      group.wait();
    } catch (const std::runtime_error&) {
    }
    EXPECT_TRUE(cancelled);
    server.write("x");
    server.close();
    first.wait();
  });
}

TEST_P(NetTest, CancellationEndsWaits) {
  run_clean([] {
    auto [client, server] = connected();
    std::atomic<bool> reads{false}, cancelled{false};
    try {
      TaskGroup group;
      group.go([&, stream = &client] {
        std::string buffer(10, '\0');
        try {
          reads = true;
          stream->read(bytes_of(buffer));
        } catch (const Cancelled&) {
          cancelled = true;
          throw;
        }
      });
      group.go([&] {
        while (!reads) yield();
        sleep_for(1ms);
        throw std::runtime_error("one fails, the others are cancelled");
      });
      group.wait();
    } catch (const std::runtime_error&) {
    }
    EXPECT_TRUE(cancelled);
    server.write("x");
    std::string buffer(10, '\0');
    EXPECT_EQ(client.read(bytes_of(buffer)), 1u) << "the stream can be used afterwards";
  });
}

TEST_P(NetTest, AGonePeerIsAnErrorAndNoSignal) {
  run_clean([] {
    auto [client, server] = connected();
    server.close();
    std::error_code error;
    for (int i = 0; i < 1000 && !error; ++i) {
      client.write("into the void", error);
      sleep_for(100us);
    }
    EXPECT_TRUE(error == std::errc::broken_pipe || error == std::errc::connection_reset) << error.message();
  });
}

TEST_P(NetTest, ErrorsSayWhatWasWrong) {
  run_clean([] {
    std::string unused;
    {
      TcpListener listener = TcpListener::bind("127.0.0.1:0");
      unused = listener.local_endpoint().to_string();
      EXPECT_EQ(error_of([&] { TcpListener::bind(unused); }), std::errc::address_in_use);
    }
    EXPECT_EQ(error_of([&] { TcpStream::connect(unused); }), std::errc::connection_refused);
    for (const char* bad :
         {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "::1:80", "[::1:80", ":80"})
      EXPECT_EQ(error_of([&] { TcpStream::connect(bad); }), std::errc::invalid_argument) << bad;
    try {
      TcpStream::connect("nowhere");
    } catch (const std::system_error& error) {
      EXPECT_NE(std::string(error.what()).find("TcpStream::connect(\"nowhere\")"), std::string::npos) << error.what();
    }
    std::error_code error;
    TcpStream none;
    EXPECT_FALSE(none);
    none.write("x", error);
    EXPECT_EQ(error, std::errc::bad_file_descriptor);
  });
}

TEST_P(NetTest, EveryCallHasAFormThatDoesNotThrow) {
  run_clean([] {
    std::error_code error = std::make_error_code(std::errc::io_error);
    TcpListener listener = TcpListener::bind(Endpoint::parse("127.0.0.1:0"), error);
    EXPECT_FALSE(error);
    const Endpoint there = listener.local_endpoint(error);
    EXPECT_FALSE(error);
    EXPECT_EQ(there, listener.local_endpoint());
    EXPECT_FALSE(TcpListener::bind(there, error));
    EXPECT_EQ(error, std::errc::address_in_use);

    TcpStream client = TcpStream::connect(there, std::chrono::seconds(20), error);
    EXPECT_FALSE(error);
    EXPECT_EQ(client.remote_endpoint(error), there);
    TcpStream server = listener.accept(error);
    EXPECT_EQ(server.remote_endpoint(error), client.local_endpoint(error));
    EXPECT_FALSE(error);
    client.close();
    EXPECT_EQ(client.local_endpoint(error), Endpoint());
    EXPECT_EQ(error, std::errc::operation_canceled);
    EXPECT_EQ(TcpStream().remote_endpoint(error), Endpoint());
    EXPECT_EQ(error, std::errc::bad_file_descriptor);
    EXPECT_EQ(error_of([] { TcpListener().local_endpoint(); }), std::errc::bad_file_descriptor);

    listener.close();
    EXPECT_FALSE(TcpStream::connect(there, std::chrono::seconds(20), error));
    EXPECT_EQ(error, std::errc::connection_refused);
    EXPECT_EQ(error_of([&] { TcpStream::connect(there, std::chrono::seconds(20)); }), std::errc::connection_refused);

    const UdpSocket datagrams = UdpSocket::bind(Endpoint::parse("127.0.0.1:0"), error);
    EXPECT_FALSE(error);
    EXPECT_FALSE(UdpSocket::bind(datagrams.local_endpoint(error), error));
    EXPECT_EQ(error, std::errc::address_in_use);
    EXPECT_FALSE(UdpSocket::bind(Endpoint(), error));
    EXPECT_EQ(error, std::errc::invalid_argument);
  });
}

TEST_P(NetTest, DeadlinesOfWhatIsNotOpenAreIgnored) {
  run_clean([] {
    const auto now = std::chrono::steady_clock::now();
    TcpStream().set_deadline(now);
    TcpListener().set_deadline(now);
    TcpListener closed = TcpListener::bind("127.0.0.1:0");
    closed.close();
    closed.set_deadline(now);
    EXPECT_EQ(error_of([&] { closed.accept(); }), std::errc::operation_canceled);
  });
}

TEST_P(NetTest, EndpointsArePrintedAndParsed) {
  run_clean([] {
    for (const char* text : {"127.0.0.1:80", "[::1]:65535", "0.0.0.0:0", "[2001:db8::2]:443"}) {
      const Endpoint endpoint = Endpoint::parse(text);
      EXPECT_EQ(endpoint.to_string(), text);
      EXPECT_EQ(endpoint, Endpoint::parse(endpoint.to_string()));
    }
    EXPECT_EQ(Endpoint::parse("[::1]:8080").address(), "::1");
    EXPECT_EQ(Endpoint::parse("[::1]:8080").port(), 8080);
    EXPECT_EQ(Endpoint().to_string(), "");
    auto [client, server] = connected();
    EXPECT_EQ(client.remote_endpoint(), server.local_endpoint());
    EXPECT_EQ(client.local_endpoint(), server.remote_endpoint());
    client.set_no_delay(false);
  });
}

TEST_P(NetTest, LinkLocalAddressesHaveAScope) {
  run_clean([] {
    char name[IF_NAMESIZE] = "";
    if (::if_indextoname(1, name) == nullptr) GTEST_SKIP() << "no network interface";
    const Endpoint by_name = Endpoint::parse("[fe80::1%" + std::string(name) + "]:80");
    EXPECT_EQ(by_name.address(), "fe80::1%" + std::string(name));
    EXPECT_EQ(by_name.to_string(), "[fe80::1%" + std::string(name) + "]:80");
    EXPECT_EQ(Endpoint::parse("[fe80::1%1]:80"), by_name);
    EXPECT_FALSE(Endpoint::parse("[fe80::1]:80") == by_name);
    EXPECT_EQ(Endpoint::parse("[fe80::1%4000000000]:80").address(), "fe80::1%4000000000") << "no interface has it";
    EXPECT_EQ(lookup("fe80::1%1"), std::vector<std::string>{"fe80::1%1"}) << "an address is its own answer";
    for (const char* bad :
         {"[fe80::1%]:80", "[fe80::1%no such one]:80", "[fe80::1%1x]:80", "127.0.0.1%1:80", "[%1]:80"})
      EXPECT_EQ(error_of([&] { Endpoint::parse(bad); }), std::errc::invalid_argument) << bad;
  });
}

// A socket that is bound to every address is an IPv6 one, whose IPv4 peers the system calls ::ffff:127.0.0.1.
TEST_P(NetTest, IPv4PeersOfEveryAddressAreIPv4) {
  run_clean([] {
    TcpListener listener = TcpListener::bind(":0");
    const std::string there = "127.0.0.1:" + std::to_string(listener.local_endpoint().port());
    TcpStream client = TcpStream::connect(there);
    TcpStream server = listener.accept();
    EXPECT_EQ(server.remote_endpoint(), client.local_endpoint());
    EXPECT_EQ(server.local_endpoint().to_string(), there);

    UdpSocket every = UdpSocket::bind(":0"), one = UdpSocket::bind("127.0.0.1:0");
    one.send_to(std::as_bytes(std::span(std::string_view("ping"))),
                Endpoint::parse("127.0.0.1:" + std::to_string(every.local_endpoint().port())));
    std::string buffer(100, '\0');
    const auto [size, from] = every.receive_from(bytes_of(buffer));
    EXPECT_EQ(from, one.local_endpoint());
    every.send_to(bytes_of(buffer).first(size), from);
    EXPECT_EQ(one.receive_from(bytes_of(buffer)).first, 4u) << "that is an address to answer to";
  });
}

TEST_P(NetTest, AConnectionToItselfIsKnown) {
  ::sockaddr_in name{};
  ::socklen_t size = sizeof name;
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto* const address = reinterpret_cast<::sockaddr*>(&name);
  ASSERT_EQ(::bind(socket, address, size), 0);
  ASSERT_EQ(::getsockname(socket, address, &size), 0);
  EXPECT_FALSE(connected_to_itself(socket)) << "not connected at all";
  ASSERT_EQ(::connect(socket, address, size), 0);
  EXPECT_TRUE(connected_to_itself(socket));
  ::close(socket);
  run_clean([] {
    auto [client, server] = connected();
    const int pair = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    TcpListener listener = TcpListener::bind("127.0.0.1:0");
    const Endpoint there = listener.local_endpoint();
    ASSERT_EQ(::connect(pair, static_cast<const ::sockaddr*>(there.data()), there.size()), 0);
    EXPECT_FALSE(connected_to_itself(pair));
    ::close(pair);
  });
}

TEST_P(NetTest, NamesAreLookedUp) {
  run_clean([] {
    EXPECT_EQ(lookup("127.0.0.1"), std::vector<std::string>{"127.0.0.1"});
    EXPECT_EQ(lookup("::1"), std::vector<std::string>{"::1"});
    std::error_code error;
    const auto found = lookup("localhost", error);
    if (!error) {
      EXPECT_TRUE(std::count(found.begin(), found.end(), "127.0.0.1") + std::count(found.begin(), found.end(), "::1") >
                  0);
    }
    EXPECT_TRUE(lookup("", error).empty());
    EXPECT_EQ(error, std::errc::invalid_argument);
  });
}

TEST_P(NetTest, Datagrams) {
  run_clean([] {
    UdpSocket one = UdpSocket::bind("127.0.0.1:0"), other = UdpSocket::bind("127.0.0.1:0");
    WaitGroup group;
    group.go([&] {
      std::array<std::byte, 100> buffer;
      const auto [size, from] = other.receive_from(buffer);
      EXPECT_EQ(from, one.local_endpoint());
      other.send_to(std::span(buffer).first(size), from);
    });
    one.send_to(std::as_bytes(std::span(std::string_view("ping"))), other.local_endpoint());
    std::string buffer(100, '\0');
    const auto [size, from] = one.receive_from(bytes_of(buffer));
    EXPECT_EQ(buffer.substr(0, size), "ping");
    EXPECT_EQ(from, other.local_endpoint());
    group.wait();
    one.set_read_deadline(steady_clock::now() + 2ms);
    EXPECT_EQ(error_of([&] { one.receive_from(bytes_of(buffer)); }), std::errc::timed_out);
  });
}

TEST_P(NetTest, UnixSockets) {
  run_clean([] {
    const std::string path = "/tmp/tandem-net-test-" + std::to_string(::getpid());
    for (const std::string& address : {path, "@" + path}) {
      UnixListener listener = UnixListener::bind(address);
      WaitGroup group;
      group.go([&] {
        UnixStream client = UnixStream::connect(address);
        client.write("over a path");
      });
      UnixStream server = listener.accept();
      EXPECT_EQ(read_all(server), "over a path");
      group.wait();
      EXPECT_EQ(error_of([&] { UnixListener::bind(address); }), std::errc::address_in_use);
    }
    EXPECT_NE(::access(path.c_str(), F_OK), 0) << "the path is removed";
    EXPECT_EQ(error_of([&] { UnixStream::connect(path); }), std::errc::no_such_file_or_directory);
    EXPECT_EQ(error_of([&] { UnixStream::connect(std::string(200, 'x')); }), std::errc::filename_too_long);
  });
}

// A listener that accepts nothing, and has one place in its queue: the second connection waits for it.
TEST_P(NetTest, ConnectingToAFullUnixSocketWaitsAndCanBeCancelled) {
  run_clean([] {
    ::sockaddr_un name{};
    const std::string path = "tandem-net-full-" + std::to_string(::getpid());
    name.sun_family = AF_UNIX;
    std::memcpy(name.sun_path + 1, path.data(), path.size());
    const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(::bind(listener, reinterpret_cast<::sockaddr*>(&name),
                     static_cast<::socklen_t>(offsetof(::sockaddr_un, sun_path) + 1 + path.size())),
              0);
    ASSERT_EQ(::listen(listener, 0), 0);
    UnixStream first = UnixStream::connect("@" + path);
    {
      std::atomic<bool> asks{false}, cancelled{false};
      TaskGroup group;
      group.go([&] {
        try {
          asks = true;
          UnixStream::connect("@" + path);
        } catch (const Cancelled&) {
          cancelled = true;
          throw;
        }
      });
      while (!asks) yield();
      group.cancel();
      try {
        group.wait();
      } catch (const Cancelled&) {
      }
      EXPECT_TRUE(cancelled);
    }
    WaitGroup group;
    group.go([&] { UnixStream::connect("@" + path).write("at last"); });
    sleep_for(1ms);
    ::close(::accept(listener, nullptr, nullptr));
    group.wait();
    const int second = ::accept(listener, nullptr, nullptr);
    std::string buffer(100, '\0');
    EXPECT_EQ(::read(second, buffer.data(), buffer.size()), 7);
    ::close(second);
    ::close(listener);
  });
}

TEST_P(NetTest, StreamsTravelThroughChannels) {
  run_clean([] {
    const auto streams = make_channel<TcpStream>(1);
    auto [client, server] = connected();
    streams->send(std::move(server));
    go([streams] { streams->receive()->write("from another goroutine"); });
    EXPECT_EQ(read_all(client), "from another goroutine");
  });
}

TEST_P(NetTest, OutOfDescriptorsIsAnErrorAndPasses) {
  run_clean([] {
    TcpListener listener = TcpListener::bind("127.0.0.1:0");
    TcpStream waiting = TcpStream::connect(listener.local_endpoint());
    ::rlimit limit{}, lower{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    lower = limit;
    lower.rlim_cur = 3;  // all numbers that are free lie above
    ::setrlimit(RLIMIT_NOFILE, &lower);
    std::error_code accepted, connected;
    listener.accept(accepted);
    TcpStream::connect(listener.local_endpoint().to_string(), connected);
    ::setrlimit(RLIMIT_NOFILE, &limit);
    EXPECT_EQ(accepted, std::errc::too_many_files_open);
    EXPECT_EQ(connected, std::errc::too_many_files_open);
    EXPECT_TRUE(listener.accept());
  });
}

TEST_P(NetTest, CollectionGoesOnBesideWaits) {
  run_clean([] {
    auto [client, server] = connected();
    WaitGroup group;
    group.go([&, stream = &server] {
      std::array<std::byte, 8> buffer;
      while (const std::size_t n = stream->read(buffer)) stream->write(std::span(buffer).first(n));
    });
    for (int i = 0; i < 20; ++i) {
      const Local<String> text = make_string("round" + std::to_string(i % 10));
      client.write(text->view());
      collect();
      std::string echo(text->size(), '\0');
      for (std::size_t got = 0; got < echo.size();) got += client.read(bytes_of(echo).subspan(got));
      EXPECT_EQ(echo, text->view());
    }
    client.close();
    group.wait();
  });
}

TEST_P(NetTest, WhatIsOpenAndWhoWaitsIsCounted) {
  run_clean([] {
    {
      const TcpPair idle = connected();
      EXPECT_EQ(statistics().network_descriptors, 2u);
      EXPECT_EQ(statistics().network_waiters, 0u);
      TcpListener listener = TcpListener::bind("127.0.0.1:0");
      WaitGroup group;
      group.go([&] {
        std::error_code error;
        (void)listener.accept(error);
      });
      EXPECT_TRUE(test::eventually([] { return statistics().network_waiters == 1; }));
      EXPECT_EQ(statistics().network_descriptors, 3u);
      listener.close();
      group.wait();
    }
    EXPECT_EQ(statistics().network_descriptors, 0u);
    EXPECT_EQ(statistics().network_waiters, 0u);
  });
}

// A socket that outlives its run is closed by its destructor, and does not touch the next run's.
TEST_P(NetTest, SocketsMayOutliveTheRun) {
  std::optional<TcpListener> kept;
  run_clean([&] { kept = TcpListener::bind("127.0.0.1:0"); });
  run_clean([&] {
    auto [client, server] = connected();
    kept.reset();
    client.write("x");
    client.close();
    EXPECT_EQ(read_all(server), "x");
  });
}

}  // namespace
}  // namespace tandem::net
