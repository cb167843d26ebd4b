#include "lab/runtime_statistics.h"

#include <algorithm>
#include <string>

namespace lab {
namespace {

// The records of `after` that are not in `before`, an earlier snapshot of the same histogram. Its maximum is
// that of the bucket it lies in.
tandem::HistogramSnapshot difference(const tandem::HistogramSnapshot& after, const tandem::HistogramSnapshot& before) {
  tandem::HistogramSnapshot result;
  result.count = after.count - before.count;
  result.sum_ns = after.sum_ns - before.sum_ns;
  auto earlier = before.buckets.begin();
  for (auto bucket : after.buckets) {
    while (earlier != before.buckets.end() && earlier->last_ns < bucket.last_ns) ++earlier;
    if (earlier != before.buckets.end() && earlier->last_ns == bucket.last_ns) bucket.count -= earlier->count;
    if (bucket.count == 0) continue;
    result.buckets.push_back(bucket);
    result.max_ns = std::min(bucket.last_ns, after.max_ns);
  }
  return result;
}

void add_histogram(nlohmann::json& metrics, const std::string& name, const tandem::HistogramSnapshot& histogram) {
  metrics[name + "_count"] = histogram.count;
  if (histogram.count == 0) return;  // there is nothing to show, and 0 ns would be a lie
  metrics[name + "_p50_ns"] = histogram.percentile(0.50);
  metrics[name + "_p99_ns"] = histogram.percentile(0.99);
  metrics[name + "_max_ns"] = histogram.max_ns;
}

}  // namespace

std::uint64_t live_bytes_now() {
  tandem::collect();
  return tandem::statistics().live_bytes;
}

RuntimeInterval::RuntimeInterval() : before_(tandem::statistics()) {}

void RuntimeInterval::finish(nlohmann::json& metrics) const {
  const tandem::Statistics after = tandem::statistics();
  const auto grown = [&](std::uint64_t tandem::Statistics::* counter) { return after.*counter - before_.*counter; };
  using S = tandem::Statistics;
  const std::uint64_t process_ns = grown(&S::process_cpu_ns);
  const std::uint64_t collector_ns = grown(&S::collector_cpu_ns);

  metrics["cycles"] = grown(&S::cycles);
  metrics["allocated_bytes"] = grown(&S::allocated_bytes);
  metrics["allocated_objects"] = grown(&S::allocated_objects);
  metrics["heap_bytes"] = after.heap_bytes;
  metrics["longest_all_stopped_ns"] = after.longest_all_stopped_ns;
  metrics["times_held"] = grown(&S::times_held);
  metrics["mark_cpu_ns"] = grown(&S::mark_cpu_ns);
  metrics["assist_cpu_ns"] = grown(&S::assist_cpu_ns);
  metrics["scan_cpu_ns"] = grown(&S::scan_cpu_ns);
  metrics["sweep_cpu_ns"] = grown(&S::sweep_cpu_ns);
  metrics["collector_cpu_ns"] = collector_ns;
  metrics["interval_cpu_ns"] = process_ns;
  if (process_ns > 0)
    metrics["collector_cpu_share"] = static_cast<double>(collector_ns) / static_cast<double>(process_ns);
  metrics["allocation_stalls"] = grown(&S::allocation_stalls);
  metrics["handshakes"] = grown(&S::handshakes);
  metrics["switches"] = grown(&S::switches);
  metrics["preemptions"] = grown(&S::preemptions);
  metrics["stacks_scanned"] = grown(&S::stacks_scanned);
  metrics["stacks_skipped"] = grown(&S::stacks_skipped);
  add_histogram(metrics, "time_to_safepoint", difference(after.time_to_safepoint, before_.time_to_safepoint));
  add_histogram(metrics, "kept_from_running", difference(after.kept_from_running, before_.kept_from_running));
}

}  // namespace lab
