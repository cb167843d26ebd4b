#include "lab/workloads/quads.h"

#include <fmt/format.h>

#include "lab/workloads/measured.h"
#include "workloads/quads.h"

namespace lab {

nlohmann::json run_quads(const RunRequest& request, const ParentPipe&) {
  const QuadsRequest& of = request.quads;
  const workloads::Quads shape{.depth = of.depth, .goroutines = of.goroutines, .rounds = of.rounds, .turns = of.turns};
  workloads::QuadsResult result;
  nlohmann::json metrics = measured(request, [&] { result = workloads::quads(shape); });
  metrics["nodes"] = result.nodes;
  metrics["checksum"] = result.checksum;
  return {
      {"metrics", metrics},
      {"input_text", fmt::format("{} quadtrees of depth {}, {} rounds of {} turns and a rebuilding; {} nodes in all",
                                 of.goroutines, of.depth, of.rounds, of.turns, result.nodes)},
      {"input", {{"depth", of.depth}, {"goroutines", of.goroutines}, {"rounds", of.rounds}, {"turns", of.turns}}}};
}

}  // namespace lab
