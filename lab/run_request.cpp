#include "lab/run_request.h"

#include <nlohmann/json.hpp>

namespace lab {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(IndexRequest, input, globs, seconds, passes, live_mb, queries_per_second,
                                   query_goroutines, readers, tokenisers, shards, dump_index)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(BinaryTreesRequest, depth)

void to_json(nlohmann::json& json, const RunRequest& request) {
  json = {{"workload", request.workload},     {"index", request.index},     {"binary_trees", request.binary_trees},
          {"gap_probes", request.gap_probes}, {"verbose", request.verbose}, {"progress", request.progress}};
}

void from_json(const nlohmann::json& json, RunRequest& request) {
  json.at("workload").get_to(request.workload);
  json.at("index").get_to(request.index);
  json.at("binary_trees").get_to(request.binary_trees);
  json.at("gap_probes").get_to(request.gap_probes);
  json.at("verbose").get_to(request.verbose);
  json.at("progress").get_to(request.progress);
}

}  // namespace lab
