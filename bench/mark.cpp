// Full collections of a live heap, per object: everything that collect() costs the process, sweeping
// included. With one processor `cpu` is the price on one core.
#include <string>

#include "bench/harness.h"
#include "bench/heap_shapes.h"

namespace bench {
namespace {

using namespace tandem;

void collect_repeatedly(const Recorder& recorder, const std::string& name, const LiveHeap& live) {
  constexpr int kCycles = 3;
  collect();  // everything is where it will stay, and swept
  const Statistics before = statistics();
  recorder.per_operation(name, kCycles * live.objects, [] {
    for (int cycle = 0; cycle < kCycles; ++cycle) collect();
  });
  const Statistics after = statistics();
  const auto each = [&](std::uint64_t Statistics::* counter) {
    return static_cast<double>(after.*counter - before.*counter) / static_cast<double>(kCycles * live.objects);
  };
  const double mark = each(&Statistics::mark_cpu_ns), sweep = each(&Statistics::sweep_cpu_ns);
  recorder.record(name + "/marking", mark, "ns", mark, live.objects);
  recorder.record(name + "/sweeping", sweep, "ns", sweep, live.objects);
}

void shuffled(const Recorder& recorder) {
  const LiveHeap live = make_shuffled_heap(recorder.scaled(256 << 20, 1 << 20));
  collect_repeatedly(recorder, "mark/shuffled", live);
  expect(live.root->data[0] < static_cast<std::uint64_t>(live.objects), "the live heap's root");
}

void orderly(const Recorder& recorder) {
  const LiveHeap live = make_orderly_heap(recorder.scaled(256 << 20, 1 << 20));
  collect_repeatedly(recorder, "mark/orderly", live);
  expect((*live.array)[0].raw()->data[0] == 0, "the live heap's first node");
}

const Register kShuffled(Case{"mark/shuffled", shuffled, {.gc_percent = -1}});
const Register kOrderly(Case{"mark/orderly", orderly, {.gc_percent = -1}});

}  // namespace
}  // namespace bench
