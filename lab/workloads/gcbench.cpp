#include "lab/workloads/gcbench.h"

#include <fmt/format.h>

#include "lab/workloads/measured.h"
#include "workloads/gcbench.h"

namespace lab {
namespace {

nlohmann::json run_gcbench_of(const RunRequest& request, const GcBenchRequest& of) {
  // The stretch tree is two levels deeper than the long-lived one, as in the original (18 and 16).
  const workloads::GcBench shape{.stretch = of.depth + 2, .long_lived = of.depth, .goroutines = of.goroutines};
  std::int64_t nodes = 0;
  nlohmann::json metrics = measured(request, [&] { nodes = workloads::gcbench(shape); });
  metrics["nodes"] = nodes;
  return {{"metrics", metrics},
          {"input_text", fmt::format("long-lived tree of depth {}, goroutines that build trees: {}; {} nodes in all",
                                     of.depth, of.goroutines, nodes)},
          {"input", {{"depth", of.depth}, {"goroutines", of.goroutines}}}};
}

}  // namespace

nlohmann::json run_gcbench(const RunRequest& request, const ParentPipe&) {
  return run_gcbench_of(request, {.depth = request.gcbench.depth, .goroutines = 1});
}

nlohmann::json run_mt_gcbench(const RunRequest& request, const ParentPipe&) {
  return run_gcbench_of(request, request.gcbench);
}

}  // namespace lab
