// What a sleeper sees of the collector: 512 MB live, 200 MB/s allocated, references of old objects rewritten.
#include <atomic>
#include <chrono>
#include <vector>

#include "bench/harness.h"
#include "bench/heap_shapes.h"

namespace bench {
namespace {

using namespace tandem;
using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr std::size_t kWindow = 1 << 20;     // the newest objects stay reachable: 64 MB
constexpr int kObjectsPerMs = 200'000 / 64;  // of 64 bytes: 200 MB/s

void mutate(const std::atomic<bool>& stop) {
  const Local<Nodes> window = make_array<Member<Node>>(kWindow);
  Random random(42);
  auto next = std::chrono::steady_clock::now();
  for (std::size_t i = 0; !stop.load(std::memory_order_relaxed);) {
    for (int k = 0; k < kObjectsPerMs; ++k, ++i) {
      const Local<Node> node = make<Node64>();
      const Local<Node> other = (*window)[random.below(kWindow)];
      node->left = other;
      if (other) other->left = nullptr;  // no unbounded chains
      (*window)[i % kWindow] = node;
    }
    next += milliseconds(1);
    if (next > std::chrono::steady_clock::now()) sleep_until(next);
  }
}

void pause(const Recorder& recorder) {
  const LiveHeap live = make_shuffled_heap(recorder.scaled(512 << 20, 16 << 20));
  collect();
  const std::uint64_t cycles_before = statistics().cycles;
  std::atomic<bool> stop{false};
  WaitGroup mutator;
  mutator.go([&stop] { mutate(stop); });
  std::vector<std::int64_t> late;
  const std::int64_t sleep_ns = 1'000'000, end = wall_ns() + recorder.scaled(5'000'000'000);
  while (wall_ns() < end) {
    const std::int64_t start = wall_ns();
    sleep_for(milliseconds(1));
    late.push_back(wall_ns() - start - sleep_ns);
  }
  stop = true;
  mutator.wait();
  recorder.record_percentiles("pause/1ms_lateness", late);
  recorder.record("pause/cycles", static_cast<double>(statistics().cycles - cycles_before), "cycles", 0, 1);
  expect(live.root->data[0] < static_cast<std::uint64_t>(live.objects), "the live heap's root");
}

const Register kPause(Case{"pause", pause});

}  // namespace
}  // namespace bench
