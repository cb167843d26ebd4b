// The price of blocking() around a system call, over the call alone.
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/harness.h"

namespace bench {
namespace {

void bracket(const Recorder& recorder) {
  const std::int64_t n = recorder.scaled(300'000);
  // The calls in turn: the price is a small difference of two larger figures.
  constexpr int kRounds = 10;
  std::int64_t raw_ns = 0, bracketed_ns = 0;
  for (int round = 0; round < kRounds; ++round) {
    const std::int64_t start = cpu_ns();
    for (std::int64_t i = 0; i < n / kRounds; ++i) syscall(SYS_getppid);
    const std::int64_t middle = cpu_ns();
    for (std::int64_t i = 0; i < n / kRounds; ++i) tandem::blocking([] { return syscall(SYS_getppid); });
    raw_ns += middle - start;
    bracketed_ns += cpu_ns() - middle;
  }
  const double price = static_cast<double>(bracketed_ns - raw_ns) / static_cast<double>(n);
  recorder.record("blocking/bracket", price, "ns", price, n);
}

const Register kBracket(Case{"blocking", bracket});

}  // namespace
}  // namespace bench
