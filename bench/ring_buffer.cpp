// The tail of allocation latency: a ring buffer of 200,000 arrays of 1 KiB, each store replaces the oldest.
#include <array>
#include <cstring>
#include <vector>

#include "bench/harness.h"

namespace bench {
namespace {

using namespace tandem;
using Message = Array<std::uint8_t>;

constexpr std::size_t kMessages = 200'000;
constexpr std::size_t kMessageBytes = 1024;
constexpr std::array<std::uint8_t, kMessageBytes> kText = {'T', 'a', 'n', 'd', 'e', 'm'};

void store_message(Array<Member<Message>>& ring, std::int64_t number) {
  const Local<Message> message = make_array<std::uint8_t>(kMessageBytes);
  std::memcpy(message->data(), kText.data(), kMessageBytes);
  ring[static_cast<std::size_t>(number) % kMessages] = message;
}

void ring_buffer(const Recorder& recorder) {
  const Local<Array<Member<Message>>> ring = make_array<Member<Message>>(kMessages);
  const std::int64_t warm_up = recorder.scaled(1'000'000), stores = recorder.scaled(2'000'000);
  for (std::int64_t i = 0; i < warm_up; ++i) store_message(*ring, i);
  std::vector<std::int64_t> durations(static_cast<std::size_t>(stores));
  recorder.per_operation("ring_buffer/store", stores, [&] {
    std::int64_t last = wall_ns();
    for (std::int64_t i = 0; i < stores; ++i) {
      store_message(*ring, i);
      const std::int64_t now = wall_ns();
      durations[static_cast<std::size_t>(i)] = now - last;
      last = now;
    }
  });
  recorder.record_percentiles("ring_buffer/latency", std::move(durations));
}

const Register kRingBuffer(Case{"ring_buffer", ring_buffer});

}  // namespace
}  // namespace bench
