#include "lab/gap_probes.h"

#include <algorithm>
#include <chrono>

namespace lab {
namespace {

constexpr std::int64_t kSliceNs = 1'000'000;  // after which a probe gives its processor away

std::int64_t now_ns() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

}  // namespace

GapProbes::GapProbes(int count) : probes_(static_cast<std::size_t>(count)), last_progress_ns_(now_ns()) {
  for (Probe& probe : probes_) group_.go([this, &probe] { watch(probe); });
}

void GapProbes::watch(Probe& probe) {
  std::int64_t slice_start = now_ns();
  std::int64_t last = slice_start;
  // Relaxed throughout: clock readings are all that is exchanged, and a late look at stop_ only lengthens the
  // loop.
  while (!stop_.load(std::memory_order_relaxed)) {
    tandem::safepoint();
    const std::int64_t now = now_ns();
    probe.own_ns_max = std::max(probe.own_ns_max, static_cast<std::uint64_t>(now - last));
    last = now;
    // Another probe may have read the clock later and yet been here earlier; then there was no gap.
    const std::int64_t gap = now - last_progress_ns_.exchange(now, std::memory_order_relaxed);
    if (gap > 0) probe.all_ns_max = std::max(probe.all_ns_max, static_cast<std::uint64_t>(gap));
    if (now - slice_start < kSliceNs) continue;
    tandem::yield();
    slice_start = last = now_ns();
  }
}

void GapProbes::finish(nlohmann::json& metrics) {
  stop_.store(true, std::memory_order_relaxed);
  group_.wait();
  if (probes_.empty()) return;
  Probe longest;
  for (const Probe& probe : probes_) {
    longest.own_ns_max = std::max(longest.own_ns_max, probe.own_ns_max);
    longest.all_ns_max = std::max(longest.all_ns_max, probe.all_ns_max);
  }
  metrics["gap_own_max_ns"] = longest.own_ns_max;
  metrics["gap_all_max_ns"] = longest.all_ns_max;
}

}  // namespace lab
