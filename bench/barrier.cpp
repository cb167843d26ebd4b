// Stores of references into managed objects, with the write barrier off and on.
#include <tandem/detail/barrier.h>

#include <algorithm>
#include <vector>

#include "bench/harness.h"
#include "bench/heap_shapes.h"

namespace bench {
namespace {

using namespace tandem;

constexpr std::size_t kObjects = 4096;
constexpr double kStores = 2 * (kObjects - 1);

// Into many objects; old and new value differ.
void store_round(Nodes& nodes) {
  for (std::size_t i = 0; i + 1 < kObjects; ++i) {
    Node* const node = nodes[i].raw();
    node->right = node->left;
    node->left = nodes[i + 1];
  }
}

std::int64_t timed_round(Nodes& nodes) {
  const std::int64_t start = wall_ns();
  store_round(nodes);
  return wall_ns() - start;
}

bool only_old_values() { return (detail::barrier_bits() & ~detail::kBarrierSummaries) == detail::kBarrierOldValues; }

// Adds the rounds that lie wholly in the marking of one cycle, with all stacks scanned.
void rounds_while_marking(Nodes& nodes, std::vector<std::int64_t>& durations) {
  WaitGroup cycle;
  bool over = false;
  cycle.go([&over] {
    collect();
    over = true;
  });
  while (!over) {
    const bool before = only_old_values();
    const std::int64_t taken = timed_round(nodes);
    if (before && only_old_values()) durations.push_back(taken);
    yield();
  }
  cycle.wait();
}

// The median round: neighbours on this machine disturb some of them.
void record_median(const Recorder& recorder, const char* name, std::vector<std::int64_t>& durations) {
  expect(!durations.empty(), "no round fell into the marking");
  std::sort(durations.begin(), durations.end());
  const double each = static_cast<double>(durations[durations.size() / 2]) / kStores;
  recorder.record(name, each, "ns", 0, static_cast<std::int64_t>(durations.size()));
}

void barrier(const Recorder& recorder) {
  const LiveHeap live = make_shuffled_heap(recorder.scaled(256 << 20, 16 << 20));
  const Local<Nodes> nodes = make_array<Member<Node>>(kObjects);
  for (auto& node : std::span(nodes->data(), kObjects)) node = make<Node>();
  collect();
  std::vector<std::int64_t> off, on;
  off.reserve(2000);
  on.reserve(1 << 20);
  for (int round = 0; round < 2000; ++round) off.push_back(timed_round(*nodes));
  record_median(recorder, "barrier/off", off);
  for (int cycle = 0; cycle < 2; ++cycle) rounds_while_marking(*nodes, on);
  record_median(recorder, "barrier/on", on);
  expect(live.root->data[0] < static_cast<std::uint64_t>(live.objects), "the live heap's root");
}

const Register kBarrier(Case{"barrier", barrier, {.gc_percent = -1}});

}  // namespace
}  // namespace bench
