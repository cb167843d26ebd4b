#pragma once
// The measured part of a workload that is one piece of work.
#include <tandem/tandem.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "lab/gap_probes.h"
#include "lab/run_request.h"
#include "lab/runtime_statistics.h"

namespace lab {

// Runs body() beside the gap probes that the request asks for. Returns the metrics of every workload: the runtime's
// over that interval, those of the probes, wall_ns, live_bytes. Throws what body() throws.
template <class Body>
nlohmann::json measured(const RunRequest& request, Body&& body) {
  using Clock = std::chrono::steady_clock;
  nlohmann::json metrics = nlohmann::json::object();
  GapProbes probes(request.gap_probes);
  const RuntimeInterval interval;
  const auto start = Clock::now();
  body();
  const auto wall = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start);
  interval.finish(metrics);
  probes.finish(metrics);
  metrics["wall_ns"] = wall.count();
  // As the last cycle found it, with the objects of that moment; without a cycle nobody has looked.
  if (const auto now = tandem::statistics(); now.cycles > 0) metrics["live_bytes"] = now.live_bytes;
  return metrics;
}

}  // namespace lab
