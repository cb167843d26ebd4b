// A read of a TCP stream that was short is not followed by a recv() that says EAGAIN; in whichever order bytes, end, reset and
// urgent bytes come, nothing is waited for that is there already. (The argument: netpoll/socket.h.)
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <system_error>

#include <gtest/gtest.h>

#include "netpoll/socket.h"
#include "netpoll/system_call.h"
#include "runtime/seam/goroutine.h"
#include "runtime/seam/registry.h"
#include "tandem/tandem.h"
#include "tests/support/run_fixture.h"

namespace tandem::net {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

class ShortReadTest : public test::OnProcessors {};
TANDEM_ON_PROCESSORS(ShortReadTest);

/// The other end, of which each system call is our own: all of them on loopback have done their work when they return.
class Peer {
 public:
  explicit Peer(const Endpoint& server) : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    EXPECT_EQ(::connect(descriptor_, static_cast<const ::sockaddr*>(server.data()), server.size()), 0);
  }
  ~Peer() { close(); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  void send(const char* text, int flags = 0) {
    const auto size = static_cast<::ssize_t>(std::strlen(text));
    EXPECT_EQ(::send(descriptor_, text, static_cast<std::size_t>(size), flags | MSG_NOSIGNAL), size);
  }
  /// The bytes and the end of the stream in one segment.
  void send_with_end(const char* text) {
    send(text, MSG_MORE);
    end();
  }
  void end() { EXPECT_EQ(::shutdown(descriptor_, SHUT_WR), 0); }
  void reset() {
    const ::linger at_once{1, 0};
    EXPECT_EQ(::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    close();
  }
  void close() {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
  }

 private:
  int descriptor_;
};

struct Connection {
  TcpStream stream;
  std::unique_ptr<Peer> peer;
};
Connection connected() {
  TcpListener listener = TcpListener::bind("127.0.0.1:0");
  auto peer = std::make_unique<Peer>(listener.local_endpoint());
  Connection connection{listener.accept(), std::move(peer)};
  connection.stream.set_deadline(steady_clock::now() + 10s);  // what is lost fails, and does not hang
  return connection;
}

/// What one read brings, or how it fails.
std::string read_once(Stream& stream) {
  std::string text(100, '\0');
  std::error_code error;
  text.resize(stream.read(std::as_writable_bytes(std::span(text)), error));
  return !error ? text : error == std::errc::timed_out ? "(timed out)" : "(" + error.message() + ")";
}

/// Runs `what` while the caller of this waits in a read, or nearly.
template <class What>
std::string read_while(Stream& stream, What what) {
  WaitGroup group;
  group.go([&] {
    sleep_for(2ms);
    what();
  });
  const std::string text = read_once(stream);
  group.wait();
  return text;
}

/// Time for the poller to report all there is.
void let_events_come() { sleep_for(5ms); }

TEST_P(ShortReadTest, BytesThatComeLaterAreRead) {
  run_clean([] {
    auto [stream, peer] = connected();
    for (int round = 0; round < 20; ++round) EXPECT_EQ(read_while(stream, [&] { peer->send("later"); }), "later");
  });
}

TEST_P(ShortReadTest, BytesThatComeBetweenTwoReadsAreRead) {
  run_clean([] {
    auto [stream, peer] = connected();
    EXPECT_EQ(read_while(stream, [&] { peer->send("one"); }), "one");
    peer->send("two");  // not yet reported
    EXPECT_EQ(read_once(stream), "two");
    peer->send("three");
    let_events_come();
    EXPECT_EQ(read_once(stream), "three");
  });
}

TEST_P(ShortReadTest, TheEndBehindTheBytesIsSeen) {
  run_clean([] {
    auto [stream, peer] = connected();
    EXPECT_EQ(read_while(stream, [&] { peer->send_with_end("last"); }), "last");
    EXPECT_EQ(read_once(stream), "");
    EXPECT_EQ(read_once(stream), "") << "and again";
  });
}

TEST_P(ShortReadTest, TheEndBehindTheBytesIsSeenWhenAllWasReportedBefore) {
  run_clean([] {
    auto [stream, peer] = connected();
    EXPECT_EQ(read_while(stream, [&] { peer->send("first"); }), "first");
    peer->send("last");
    peer->end();
    let_events_come();
    EXPECT_EQ(read_once(stream), "last");
    EXPECT_EQ(read_once(stream), "");
  });
}

TEST_P(ShortReadTest, TheEndThatComesLaterIsSeen) {
  run_clean([] {
    auto [stream, peer] = connected();
    EXPECT_EQ(read_while(stream, [&] { peer->send("last"); }), "last");
    EXPECT_EQ(read_while(stream, [&] { peer->end(); }), "");
  });
}

TEST_P(ShortReadTest, TheEndBetweenTwoReadsIsSeen) {
  run_clean([] {
    auto [stream, peer] = connected();
    EXPECT_EQ(read_while(stream, [&] { peer->send("last"); }), "last");
    peer->end();
    EXPECT_EQ(read_once(stream), "");
  });
}

TEST_P(ShortReadTest, AHalfClosedStreamIsAnswered) {
  run_clean([] {
    auto [stream, peer] = connected();
    EXPECT_EQ(read_while(stream, [&] { peer->send("question"); }), "question");
    stream.shutdown_write();
    EXPECT_EQ(read_while(stream, [&] { peer->send("answer"); }), "answer");
    EXPECT_EQ(read_while(stream, [&] { peer->end(); }), "");
  });
}

TEST_P(ShortReadTest, AResetIsSeen) {
  run_clean([] {
    const std::string reset = "(" + std::make_error_code(std::errc::connection_reset).message() + ")";
    {
      auto [stream, peer] = connected();
      EXPECT_EQ(read_while(stream, [&] { peer->send("last"); }), "last");
      EXPECT_EQ(read_while(stream, [&] { peer->reset(); }), reset) << "while it waits";
    }
    {
      auto [stream, peer] = connected();
      EXPECT_EQ(read_while(stream, [&] { peer->send("last"); }), "last");
      peer->reset();
      let_events_come();
      EXPECT_EQ(read_once(stream), reset) << "before it waits";
    }
  });
}

// A read stops in front of an urgent byte, however much lies behind it.
TEST_P(ShortReadTest, WhatLiesBehindAnUrgentByteIsRead) {
  run_clean([] {
    auto [stream, peer] = connected();
    EXPECT_EQ(read_while(stream, [&] { peer->send("first"); }), "first");
    peer->send("before");
    peer->send("!", MSG_OOB);
    peer->send("behind");
    let_events_come();
    EXPECT_EQ(read_once(stream), "before");
    EXPECT_EQ(read_once(stream), "behind");
    EXPECT_EQ(read_while(stream, [&] { peer->send("later"); }), "later");
  });
}

// Who cancels wakes the reader; the edge of bytes that come next finds its waiter, but wakes nobody (S4).
TEST_P(ShortReadTest, BytesThatComeWithACancellationAreReadByTheNext) {
  run_clean([] {
    auto [stream, peer] = connected();
    EXPECT_EQ(read_while(stream, [&] { peer->send("first"); }), "first");
    bool cancelled = false;
    TaskGroup group;
    group.go([&, from = &stream] {
      try {
        read_once(*from);
      } catch (const Cancelled&) {
        cancelled = true;
        throw;
      }
    });
    let_events_come();
    group.cancel();
    peer->send("x");
    // With one processor the reader has not run since, and its waiter is still there.
    auto* const here = static_cast<seam::Processor*>(seam::current_goroutine()->processor);
    seam::registry.poller->poll(0, here);
    group.wait();
    EXPECT_TRUE(cancelled);
    EXPECT_EQ(read_once(stream), "x");
  });
}

void send_with_descriptor(int socket, const char* text, int attached) {
  ::iovec part{const_cast<char*>(text), std::strlen(text)};
  alignas(::cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  ::msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ::cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &attached, sizeof attached);
  EXPECT_EQ(::sendmsg(socket, &message, 0), static_cast<::ssize_t>(part.iov_len));
}

// A read of a Unix stream stops behind bytes with descriptors attached.
TEST_P(ShortReadTest, WhatLiesBehindAMessageWithDescriptorsIsRead) {
  run_clean([] {
    const std::string path = "@tandem-short-read-" + std::to_string(::getpid());
    UnixListener listener = UnixListener::bind(path);
    ::sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::memcpy(name.sun_path + 1, path.data() + 1, path.size() - 1);
    const int peer = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto size = static_cast<::socklen_t>(offsetof(::sockaddr_un, sun_path) + path.size());
    ASSERT_EQ(::connect(peer, reinterpret_cast<const ::sockaddr*>(&name), size), 0);
    UnixStream stream = listener.accept();
    stream.set_deadline(steady_clock::now() + 10s);
    EXPECT_EQ(read_while(stream, [&] { EXPECT_EQ(::send(peer, "first", 5, 0), 5); }), "first");
    send_with_descriptor(peer, "with", peer);
    EXPECT_EQ(::send(peer, "behind", 6, 0), 6);
    let_events_come();
    EXPECT_EQ(read_once(stream), "with");
    EXPECT_EQ(read_once(stream), "behind");
    ::close(peer);
  });
}

/// A listener of the system's, as Peer is a client, and the accepted end of a connection to it.
int accepted_from(std::unique_ptr<Peer>& peer) {
  const int system = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ::sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::socklen_t size = sizeof any;
  EXPECT_EQ(::bind(system, reinterpret_cast<const ::sockaddr*>(&any), size), 0);
  EXPECT_EQ(::listen(system, 1), 0);
  EXPECT_EQ(::getsockname(system, reinterpret_cast<::sockaddr*>(&any), &size), 0);
  std::error_code error;
  peer = std::make_unique<Peer>(Endpoint::parse("127.0.0.1:" + std::to_string(ntohs(any.sin_port)), error));
  const int accepted = ::accept4(system, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  ::close(system);
  return accepted;
}

struct CountedRead {
  std::string text;
  int calls;
};

CountedRead counted_read(detail::Socket& socket, std::size_t wanted) {
  struct Call {
    std::string buffer;
    int calls = 0;
  } call{std::string(wanted, '\0'), 0};
  std::error_code error;
  const std::int64_t bytes = socket.perform(
      netpoll::kRead, "network read",
      [](int descriptor, void* argument) {
        auto& c = *static_cast<Call*>(argument);
        ++c.calls;
        return result_of(::recv(descriptor, c.buffer.data(), c.buffer.size(), 0));
      },
      &call, error, wanted);
  EXPECT_FALSE(error) << error.message();
  call.buffer.resize(bytes < 0 ? 0 : static_cast<std::size_t>(bytes));
  return {call.buffer, call.calls};
}

/// How many calls it takes to read a request of seven bytes that is waited for.
int calls_for_request(detail::Socket& socket, Peer& peer, std::size_t wanted) {
  WaitGroup group;
  group.go([&] {
    sleep_for(2ms);
    peer.send("request");
  });
  const CountedRead read = counted_read(socket, wanted);
  group.wait();
  EXPECT_EQ(read.text, "request");
  return read.calls;
}

bool over_epoll() {
  const char* const poller = std::getenv("TANDEM_POLLER");
  return poller == nullptr || std::string(poller) != "io_uring";
}

TEST_P(ShortReadTest, ARequestIsReadByOneCall) {
  if (!over_epoll()) GTEST_SKIP() << "uring_poller.h, U4";
  run_clean([] {
    std::unique_ptr<Peer> peer;
    detail::Socket socket(accepted_from(peer));
    socket.trust_short_reads();
    calls_for_request(socket, *peer, 100);  // its beginning may have been reported before
    for (int round = 0; round < 20; ++round) EXPECT_EQ(calls_for_request(socket, *peer, 100), 1);
    EXPECT_EQ(calls_for_request(socket, *peer, 7), 1);
    EXPECT_EQ(calls_for_request(socket, *peer, 7), 2) << "a read that filled its buffer says nothing";
  });
}

}  // namespace
}  // namespace tandem::net
