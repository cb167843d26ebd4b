// Integers through one channel, per item: senders, receivers, capacity.
#include <atomic>

#include "bench/harness.h"

namespace bench {
namespace {

using namespace tandem;

template <int pairs, int capacity>
void transfer(std::int64_t n) {
  const Local<Channel<std::int64_t>> channel = make_channel<std::int64_t>(capacity);
  const std::int64_t each = n / pairs;
  WaitGroup senders, receivers;
  std::atomic<std::int64_t> sum{0};
  for (int pair = 0; pair < pairs; ++pair) {
    senders.go([=] {
      for (std::int64_t i = 0; i < each; ++i) channel->send(i);
    });
    receivers.go([channel, &sum] {
      std::int64_t own = 0;
      for (std::int64_t value : *channel) own += value;
      sum += own;
    });
  }
  senders.wait();
  channel->close();
  receivers.wait();
  expect(sum == each * (each - 1) / 2 * pairs, "sum of what went through the channel");
}

const Register kCapacity0(Micro{"channel/cap0", 1'000'000, transfer<1, 0>});
const Register kCapacity1(Micro{"channel/cap1", 1'000'000, transfer<1, 1>});
const Register kCapacity64(Micro{"channel/cap64", 1'000'000, transfer<1, 64>});
const Register kFourToFour(Micro{"channel/4to4_cap64", 1'000'000, transfer<4, 64>});

}  // namespace
}  // namespace bench
