// select among channels that are ready, and among channels of which none is.
#include <array>
#include <cstddef>
#include <optional>
#include <utility>

#include "bench/harness.h"

namespace bench {
namespace {

using namespace tandem;

template <std::size_t count>
using Channels = std::array<Local<Channel<std::int64_t>>, count>;

template <std::size_t count>
Channels<count> make_channels(std::size_t capacity) {
  Channels<count> channels;
  for (auto& channel : channels) channel = make_channel<std::int64_t>(capacity);
  return channels;
}

template <std::size_t count>
std::size_t receive_from_any(const Channels<count>& channels, std::int64_t& value) {
  const auto keep = [&value](std::optional<std::int64_t> received) { value = *received; };
  return [&]<std::size_t... index>(std::index_sequence<index...>) {
    return select(on_receive(channels[index], keep)...);
  }(std::make_index_sequence<count>());
}

// Every channel holds a value; the one taken is put back.
template <std::size_t count>
void all_ready(std::int64_t n) {
  const Channels<count> channels = make_channels<count>(1);
  for (std::size_t i = 0; i < count; ++i) channels[i]->send(static_cast<std::int64_t>(i));
  for (std::int64_t i = 0; i < n; ++i) {
    std::int64_t value = -1;
    const std::size_t taken = receive_from_any(channels, value);
    expect(value == static_cast<std::int64_t>(taken), "select");
    channels[taken]->send(value);
  }
}

// A goroutine that blocks in select, is woken by a send, and answers: a round trip.
template <std::size_t count>
void blocked(std::int64_t n) {
  const Channels<count> channels = make_channels<count>(0);
  const Local<Channel<std::int64_t>> back = make_channel<std::int64_t>();
  go([=] {
    for (std::int64_t i = 0; i < n; ++i) {
      std::int64_t value = -1;
      receive_from_any(channels, value);
      back->send(value);
    }
  });
  for (std::int64_t i = 0; i < n; ++i) {
    channels[static_cast<std::size_t>(i) % count]->send(i);
    expect(back->receive() == i, "select");
  }
}

const Register kTwoReady(Micro{"select/2_ready", 1'000'000, all_ready<2>});
const Register kEightReady(Micro{"select/8_ready", 1'000'000, all_ready<8>});
const Register kTwoBlocked(Micro{"select/2_blocked", 250'000, blocked<2>});

}  // namespace
}  // namespace bench
