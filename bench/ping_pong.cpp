// A value that goes round over unbuffered channels: between two goroutines, and through a thousand.
#include "bench/harness.h"

namespace bench {
namespace {

using namespace tandem;

void ping_pong(std::int64_t n) {
  const Local<Channel<std::int64_t>> there = make_channel<std::int64_t>(), back = make_channel<std::int64_t>();
  go([=] {
    for (std::int64_t value : *there) back->send(value);
  });
  for (std::int64_t i = 0; i < n; ++i) {
    there->send(i);
    expect(back->receive() == i, "ping-pong");
  }
  there->close();
}

// Per hop.
void ring(std::int64_t hops) {
  constexpr int kSize = 1000;
  const Local<Channel<std::int64_t>> first = make_channel<std::int64_t>();
  Local<Channel<std::int64_t>> last = first;
  for (int i = 0; i < kSize - 1; ++i) {
    const Local<Channel<std::int64_t>> out = make_channel<std::int64_t>();
    go([in = last, out] {
      for (std::int64_t value : *in) out->send(value - 1);
      out->close();
    });
    last = out;
  }
  for (std::int64_t value = hops; value > 0;) {
    first->send(value);
    value = *last->receive() - 1;
  }
  first->close();
  expect(!last->receive().has_value(), "ring");
}

const Register kPingPong(Micro{"ping_pong", 500'000, ping_pong});
const Register kRing(Micro{"ring/1000", 1'000'000, ring});

}  // namespace
}  // namespace bench
