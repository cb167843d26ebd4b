#include "lab/run_request.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace lab {
namespace {

TEST(RunRequest, SurvivesTheWayToTheChild) {
  RunRequest request;
  request.workload = "index";
  request.index = {.input = "/a directory/with 'quotes'",
                   .globs = {"*.h", "x,y"},
                   .seconds = 0.5,
                   .passes = 7,
                   .live_mb = 1024,
                   .queries_per_second = 12.5,
                   .query_goroutines = 3,
                   .readers = 5,
                   .tokenisers = 6,
                   .shards = 8,
                   .dump_index = "out.tsv"};
  request.binary_trees.depth = 20;
  request.gcbench = {.depth = 11, .goroutines = 9};
  request.quads = {.depth = 3, .goroutines = 10, .rounds = 11, .turns = 12};
  request.hyperalloc = {.rate = 0.5, .live = 1.5, .seconds = 2.5, .goroutines = 13};
  request.kv = {.live = 3.5,
                .value = 77,
                .rate = 99.5,
                .arrivals = "poisson",
                .connections = 5,
                .seconds = 6.5,
                .writes = 0.25,
                .seed = 123'456'789,
                .beside_go = true};
  request.gap_probes = 4;
  request.verbose = true;
  request.progress = true;
  const std::string text = nlohmann::json(request).dump();
  EXPECT_EQ(nlohmann::json::parse(text).get<RunRequest>(), request);
}

}  // namespace
}  // namespace lab
