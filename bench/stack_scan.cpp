// Scanning stacks for Locals, per KiB: a buffer in the first-level cache, and parked goroutines' stacks,
// which are cold.
#include "gc/tag_scan.h"

#include <atomic>
#include <vector>

#include "bench/harness.h"
#include "bench/trees.h"

namespace bench {
namespace {

using namespace tandem;

void scan_hot(std::int64_t n) {
  constexpr std::size_t kWords = 1024 / sizeof(std::uintptr_t);
  alignas(64) std::uintptr_t words[kWords] = {};
  words[kWords / 2] = ~reinterpret_cast<std::uintptr_t>(&words[kWords / 2]);
  const auto from = reinterpret_cast<std::uintptr_t>(words);
  std::int64_t found = 0;
  const auto count = [](void* context, std::uintptr_t) { ++*static_cast<std::int64_t*>(context); };
  for (std::int64_t i = 0; i < n; ++i) gc::scan_tagged_slots(from, from + sizeof(words), count, &found);
  words[kWords / 2] = 0;
  expect(found == n, "roots found in a buffer with one");
}

struct Parking {
  WaitGroup arrived;
  Local<Channel<char>> gate = make_channel<char>();
  std::atomic<std::int64_t> stack_bytes{0};
};

// Frames of about 200 bytes with a root in each, down to `depth`; parks there.
[[gnu::noinline]] void descend(Parking& parking, int depth, std::uintptr_t top) {
  const Local<Tree> root;
  volatile char frame[96];
  frame[0] = 0;
  if (depth > 0) {
    descend(parking, depth - 1, top);
  } else {
    parking.stack_bytes += static_cast<std::int64_t>(top - reinterpret_cast<std::uintptr_t>(&frame[0]));
    parking.arrived.done();
    parking.gate->receive();
  }
  frame[1] = 0;  // no tail call
}

void scan_parked(const Recorder& recorder) {
  constexpr int kDepth = 80;
  const std::int64_t goroutines = recorder.scaled(4000, 10);
  Parking parking;
  parking.arrived.add(goroutines);
  WaitGroup ended;
  for (std::int64_t i = 0; i < goroutines; ++i)
    ended.go([&parking] { descend(parking, kDepth, reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0))); });
  parking.arrived.wait();
  collect();
  constexpr int kCycles = 3;
  const std::uint64_t before = statistics().scan_cpu_ns;
  for (int cycle = 0; cycle < kCycles; ++cycle) collect();
  const auto scanned_ns = static_cast<double>(statistics().scan_cpu_ns - before);
  const double kib = static_cast<double>(parking.stack_bytes * kCycles) / 1024;
  recorder.record("stack_scan/parked_kib", scanned_ns / kib, "ns", scanned_ns / kib, goroutines);
  parking.gate->close();
  ended.wait();
}

const Register kHot(Micro{"stack_scan/hot_kib", 5'000'000, scan_hot});
const Register kParked(Case{"stack_scan/parked", scan_parked});

}  // namespace
}  // namespace bench
