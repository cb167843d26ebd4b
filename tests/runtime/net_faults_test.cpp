// The network where the system answers late, wrongly, or not at all: some functions of the C library are taken the place of.
#include <dlfcn.h>
#include <fcntl.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>

#include <gtest/gtest.h>

#include "tandem/tandem.h"
#include "tests/support/run_fixture.h"

namespace {

std::atomic<int> accept_error{0};  // what the next accept4() fails with; 0: nothing
std::atomic<bool> resolver_asked{false}, resolver_may_answer{false};
std::function<void(std::string_view path)> before_unlink;

}  // namespace

extern "C" int accept4(int listener, ::sockaddr* name, ::socklen_t* size, int flags) {
  if (const int error = accept_error.exchange(0); error != 0) {
    errno = error;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_accept4, listener, name, size, flags));
}

extern "C" int unlink(const char* path) noexcept {
  if (before_unlink) before_unlink(path);
  return static_cast<int>(::syscall(SYS_unlinkat, AT_FDCWD, path, 0));
}

// "scoped.test": 127.0.0.1, and a link-local address. "late.test": an error, after 20 ms. "waits.test": an error, once it may.
extern "C" int getaddrinfo(const char* host, const char* service, const ::addrinfo* hints, ::addrinfo** found) {
  static const auto real = reinterpret_cast<decltype(&::getaddrinfo)>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  const std::string_view name = host != nullptr ? host : "";
  if (name == "scoped.test") {
    ::addrinfo numeric{};
    numeric.ai_socktype = SOCK_STREAM;
    numeric.ai_flags = AI_NUMERICHOST;
    if (const int status = real("127.0.0.1", service, &numeric, found); status != 0) return status;
    if (const int status = real("fe80::1", service, &numeric, &(*found)->ai_next); status != 0) return status;
    reinterpret_cast<::sockaddr_in6*>((*found)->ai_next->ai_addr)->sin6_scope_id = 1;
    return 0;
  }
  if (name == "late.test") {
    ::usleep(20'000);
    return EAI_AGAIN;
  }
  if (name == "waits.test") {
    resolver_asked = true;
    while (!resolver_may_answer) ::usleep(100);
    return EAI_AGAIN;
  }
  return real(host, service, hints, found);
}

namespace tandem::net {
namespace {

using namespace std::chrono_literals;

class NetFaultsTest : public test::OnProcessors {};
TANDEM_ON_PROCESSORS(NetFaultsTest);

TEST_P(NetFaultsTest, ALateResolverIsATimeout) {
  run_clean([] {
    std::error_code error;
    EXPECT_FALSE(TcpStream::connect("late.test:80", 1ms, error));
    EXPECT_EQ(error, std::errc::timed_out);
    EXPECT_FALSE(TcpStream::connect("late.test:80", error));
    EXPECT_EQ(error.category(), resolver_category());
  });
}

TEST_P(NetFaultsTest, ACancellationIsToldOnceTheResolverHasAnswered) {
  run_clean([] {
    resolver_asked = resolver_may_answer = false;
    std::atomic<bool> cancelled{false};
    TaskGroup group;
    group.go([&] {
      std::error_code error;
      try {
        TcpStream::connect("waits.test:80", error);
      } catch (const Cancelled&) {
        cancelled = true;
        throw;
      }
    });
    while (!resolver_asked) yield();
    group.cancel();
    resolver_may_answer = true;
    try {
      group.wait();
    } catch (const Cancelled&) {
    }
    EXPECT_TRUE(cancelled);
  });
}

TEST_P(NetFaultsTest, AnAddressWithAScopeDoesNotSpoilTheOthers) {
  run_clean([] {
    TcpListener listener = TcpListener::bind("127.0.0.1:0");
    const TcpStream client = TcpStream::connect("scoped.test:" + std::to_string(listener.local_endpoint().port()));
    EXPECT_TRUE(client);
    const auto found = lookup("scoped.test");
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(Endpoint::parse("[" + found[1] + "]:80"), Endpoint::parse("[fe80::1%1]:80"));
  });
}

TEST_P(NetFaultsTest, AcceptPausesWhenTheSystemIsShortOfSomething) {
  run_clean([] {
    TcpListener listener = TcpListener::bind("127.0.0.1:0");
    const TcpStream client = TcpStream::connect(listener.local_endpoint());
    for (const int shortage : {EMFILE, ENFILE, ENOBUFS, ENOMEM}) {
      const auto start = std::chrono::steady_clock::now();
      std::error_code error;
      accept_error = shortage;
      EXPECT_FALSE(listener.accept(error));
      EXPECT_EQ(error, std::error_code(shortage, std::generic_category()));
      EXPECT_GE(std::chrono::steady_clock::now() - start, 4ms);
    }
    EXPECT_TRUE(listener.accept());
  });
}

// As if another goroutine closed the listener while the first one is at it.
TEST_P(NetFaultsTest, WhoClosesAUnixListenerFirstRemovesItsPath) {
  run_clean([] {
    const std::string path = "/tmp/tandem-net-faults-" + std::to_string(::getpid());
    UnixListener listener = UnixListener::bind(path);
    int removals = 0;
    before_unlink = [&](std::string_view removed) {
      if (removed == path && ++removals == 1) listener.close();
    };
    listener.close();
    before_unlink = nullptr;
    EXPECT_EQ(removals, 1);
    EXPECT_NE(::access(path.c_str(), F_OK), 0);
  });
}

}  // namespace
}  // namespace tandem::net
