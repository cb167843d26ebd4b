// Starting and ending goroutines.
#include "bench/harness.h"

namespace bench {
namespace {

using namespace tandem;

// Each goroutine is awaited before the next one is started.
void one_at_a_time(std::int64_t n) {
  const Local<Channel<char>> done = make_channel<char>();
  for (std::int64_t i = 0; i < n; ++i) {
    go([done] { done->send('x'); });
    done->receive();
  }
}

void burst(std::int64_t n) {
  WaitGroup all;
  all.add(n);
  for (std::int64_t i = 0; i < n; ++i) go([&all] { all.done(); });
  all.wait();
}

// All are started before the first runs (with one processor). The first time makes descriptors and stacks,
// the second finds them.
void bursts(const Recorder& recorder) {
  const std::int64_t n = recorder.scaled(1'000'000);
  recorder.per_operation("spawn/burst_cold", n, [&] { burst(n); });
  recorder.per_operation("spawn/burst_warm", n, [&] { burst(n); });
}

const Register kOneAtATime(Micro{"spawn/one_at_a_time", 1'000'000, one_at_a_time});
const Register kBursts(Case{"spawn/burst", bursts});

}  // namespace
}  // namespace bench
