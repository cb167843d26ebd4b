#include "lab/workloads/hyperalloc.h"

#include <fmt/format.h>

#include <string>

#include "lab/latency_histogram.h"
#include "lab/workloads/measured.h"
#include "workloads/hyperalloc.h"

namespace lab {
namespace {

void add_durations(nlohmann::json& metrics, const std::string& name, const LatencyHistogram& durations) {
  metrics[name + "_count"] = durations.count();
  if (durations.count() == 0) return;  // 0 ns would be a lie
  metrics[name + "_p50_ns"] = durations.percentile(0.50);
  metrics[name + "_p99_ns"] = durations.percentile(0.99);
  metrics[name + "_max_ns"] = durations.max();
}

}  // namespace

nlohmann::json run_hyperalloc(const RunRequest& request, const ParentPipe&) {
  const HyperAllocRequest& of = request.hyperalloc;
  workloads::HyperAllocRun run(
      {.rate = of.rate * 1e6, .live = of.live * 1e6, .seconds = of.seconds, .goroutines = of.goroutines});
  workloads::HyperAllocResult<LatencyHistogram> result;
  nlohmann::json metrics = measured(request, [&] { result = run.churn<LatencyHistogram>(); });
  metrics["payload_bytes"] = result.allocated_bytes;
  metrics["payload_bytes_per_second"] =
      static_cast<double>(result.allocated_bytes) * 1e9 / static_cast<double>(result.elapsed_ns);
  metrics["checksum"] = run.checksum();
  add_durations(metrics, "replacing", result.replacing);
  add_durations(metrics, "sleeper_late", result.sleeper_late);
  return {{"metrics", metrics},
          {"input_text", fmt::format("{} MB/s asked for, {} MB live, {} s, goroutines that allocate: {}", of.rate,
                                     of.live, of.seconds, of.goroutines)},
          {"input", {{"rate", of.rate}, {"live", of.live}, {"seconds", of.seconds}, {"goroutines", of.goroutines}}}};
}

}  // namespace lab
