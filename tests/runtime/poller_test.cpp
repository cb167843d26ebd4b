// poller = io_uring, and a kernel that refuses it. (That the network works over it: uring.net, tests/CMakeLists.txt.)
#if defined(TANDEM_HAS_LIBURING)

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <span>
#include <string>

#include <gtest/gtest.h>

#include "tandem/tandem.h"

namespace tandem::net {
namespace {

/// As a container's seccomp profile does it: io_uring_setup() fails with EPERM.
void forbid_io_uring() {
  ::sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(::seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const ::sock_fprog filter{std::size(program), program};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
    std::abort();
}

/// A byte there over a connection; waits for it, so that a poller is needed.
void exchange_a_byte() {
  Options options;
  options.poller = Options::Poller::io_uring;
  run(options, [] {
    TcpListener listener = TcpListener::bind("127.0.0.1:0");
    WaitGroup group;
    group.go([&] {
      TcpStream server = listener.accept();
      server.write("x");
    });
    TcpStream client = TcpStream::connect(listener.local_endpoint());
    std::string byte(1, '\0');
    if (client.read(std::as_writable_bytes(std::span(byte))) != 1 || byte != "x") std::abort();
    group.wait();
  });
}

TEST(PollerDeathTest, WhereTheKernelRefusesIoUringEpollIsUsedAndALineSaysSo) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        forbid_io_uring();
        exchange_a_byte();
        std::exit(0);
      },
      testing::ExitedWithCode(0),
      "tandem: poller = io_uring is not available here \\(tandem: io_uring_setup: Operation not permitted\\): epoll is "
      "used");
}

TEST(Poller, IoUringCarriesAByte) { exchange_a_byte(); }

}  // namespace
}  // namespace tandem::net

#endif
