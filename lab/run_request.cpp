#include "lab/run_request.h"

#include <nlohmann/json.hpp>

namespace lab {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(IndexRequest, input, globs, seconds, passes, live_mb, queries_per_second,
                                   query_goroutines, readers, tokenisers, shards, dump_index)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(BinaryTreesRequest, depth)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(GcBenchRequest, depth, goroutines)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(QuadsRequest, depth, goroutines, rounds, turns)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(HyperAllocRequest, rate, live, seconds, goroutines)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(KvRequest, live, value, rate, arrivals, connections, seconds, writes, seed,
                                   beside_go)

void to_json(nlohmann::json& json, const RunRequest& request) {
  json = {{"workload", request.workload},
          {"index", request.index},
          {"binary_trees", request.binary_trees},
          {"gcbench", request.gcbench},
          {"quads", request.quads},
          {"hyperalloc", request.hyperalloc},
          {"kv", request.kv},
          {"gap_probes", request.gap_probes},
          {"verbose", request.verbose},
          {"progress", request.progress}};
}

void from_json(const nlohmann::json& json, RunRequest& request) {
  json.at("workload").get_to(request.workload);
  json.at("index").get_to(request.index);
  json.at("binary_trees").get_to(request.binary_trees);
  json.at("gcbench").get_to(request.gcbench);
  json.at("quads").get_to(request.quads);
  json.at("hyperalloc").get_to(request.hyperalloc);
  json.at("kv").get_to(request.kv);
  json.at("gap_probes").get_to(request.gap_probes);
  json.at("verbose").get_to(request.verbose);
  json.at("progress").get_to(request.progress);
}

}  // namespace lab
