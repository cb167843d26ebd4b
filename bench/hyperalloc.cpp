// HyperAlloc: two goroutines allocate at a fixed rate beside a live set of fixed size; a sweep over both.
// `hyperalloc/500x256`: 500 MB/s, 256 MB live.
#include "workloads/hyperalloc.h"

#include <algorithm>
#include <string>

#include "bench/harness.h"

namespace bench {
namespace {

struct Longest {
  std::uint64_t ns = 0;
  void record(std::uint64_t nanoseconds) { ns = std::max(ns, nanoseconds); }
  void merge(const Longest& other) { record(other.ns); }
};

// The processor time is that of a fixed number of bytes; by the clock they take three seconds if the rate was kept.
template <int megabytes_per_second, int live_megabytes>
void hyperalloc(const Recorder& recorder) {
  const std::string name = "hyperalloc/" + std::to_string(megabytes_per_second) + "x" + std::to_string(live_megabytes);
  const double seconds = static_cast<double>(recorder.scaled(3000)) / 1e3;
  workloads::HyperAllocRun run(
      {.rate = megabytes_per_second * 1e6, .live = live_megabytes * 1e6, .seconds = seconds, .goroutines = 2});
  workloads::HyperAllocResult<Longest> result;
  recorder.whole(name, static_cast<std::int64_t>(megabytes_per_second * seconds),
                 [&] { result = run.churn<Longest>(); });
  const double rate = static_cast<double>(result.allocated_bytes) * 1e3 / static_cast<double>(result.elapsed_ns);
  recorder.record(name + "/rate", rate, "MB/s", 0, 1);
  recorder.record(name + "/stall/max", static_cast<double>(result.replacing.ns) / 1e3, "us", 0, 1);
  recorder.record(name + "/sleeper/max", static_cast<double>(result.sleeper_late.ns) / 1e3, "us", 0, 1);
  recorder.record_checksum(name, run.checksum());
}

const Register kSlowSmall(Case{"hyperalloc/200x64", hyperalloc<200, 64>});
const Register kSlowLarge(Case{"hyperalloc/200x256", hyperalloc<200, 256>});
const Register kFastSmall(Case{"hyperalloc/500x64", hyperalloc<500, 64>});
const Register kFastLarge(Case{"hyperalloc/500x256", hyperalloc<500, 256>});

}  // namespace
}  // namespace bench
