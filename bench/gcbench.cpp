// GCBench (Ellis, Kovac, Boehm): trees built top down and bottom up beside a long-lived tree and array; and
// MT_GCBench, four goroutines that do so beside the same tree and array.
#include "workloads/gcbench.h"

#include "bench/harness.h"

namespace bench {
namespace {

void gcbench(const Recorder& recorder, const char* name, int goroutines) {
  const int less = recorder.scaled(1000) < 500 ? 4 : 0;
  const workloads::GcBench shape{.stretch = 18 - less, .long_lived = 16 - less, .goroutines = goroutines};
  std::int64_t nodes = 0;
  recorder.whole(name, shape.stretch, [&] { nodes = workloads::gcbench(shape); });
  recorder.record_checksum(name, static_cast<std::uint64_t>(nodes));
}

const Register kGcBench(Case{"gcbench", [](const Recorder& recorder) { gcbench(recorder, "gcbench", 1); }});
const Register kMtGcBench(Case{"mt_gcbench", [](const Recorder& recorder) { gcbench(recorder, "mt_gcbench", 4); }});

}  // namespace
}  // namespace bench
