#pragma once
// Everything one run needs to know, as the parent process hands it to the child that carries the run out.
// Knobs are not in here: they travel in the child's environment, as the runtime reads them anyway.
#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace lab {

struct IndexRequest {
  std::string input;
  std::vector<std::string> globs;
  double seconds = 3;                // the measured part lasts at least so long ...
  int passes = 1;                    // ... and indexes the input at least so often
  std::uint64_t live_mb = 0;         // copies of the index are kept until so much is live; MiB
  double queries_per_second = 1000;  // of all query goroutines together; 0: no queries
  int query_goroutines = 2;
  int readers = 4;
  int tokenisers = 4;
  int shards = 4;
  std::string dump_index;  // file that gets the terms of the last pass; empty: none

  bool operator==(const IndexRequest&) const = default;
};

struct BinaryTreesRequest {
  int depth = 16;

  bool operator==(const BinaryTreesRequest&) const = default;
};

// Of gcbench and mt-gcbench.
struct GcBenchRequest {
  int depth = 16;  // of the long-lived tree
  int goroutines = 4;

  bool operator==(const GcBenchRequest&) const = default;
};

struct QuadsRequest {
  int depth = 9;
  int goroutines = 4;
  int rounds = 300;
  int turns = 200;

  bool operator==(const QuadsRequest&) const = default;
};

struct HyperAllocRequest {
  double rate = 200;   // MB per second, of all goroutines together
  double live = 64;    // MB, likewise
  double seconds = 3;  // at that rate
  int goroutines = 2;

  bool operator==(const HyperAllocRequest&) const = default;
};

struct KvRequest {
  double live = 1024;                 // MB of values
  int value = 4096;                   // bytes of each
  double rate = 20'000;               // requests per second
  std::string arrivals = "constant";  // or poisson
  int connections = 16;
  double seconds = 30;
  double writes = 0.5;  // of the requests; the others read
  std::uint64_t seed = 1;
  bool beside_go = false;  // runs the twin in Go as well

  bool operator==(const KvRequest&) const = default;
};

struct RunRequest {
  std::string workload;
  IndexRequest index;
  BinaryTreesRequest binary_trees;
  GcBenchRequest gcbench;
  QuadsRequest quads;
  HyperAllocRequest hyperalloc;
  KvRequest kv;
  int gap_probes = 0;     // goroutines that watch for gaps in their own progress
  bool verbose = false;   // name every skipped file on stderr
  bool progress = false;  // report progress to the parent

  bool operator==(const RunRequest&) const = default;
};

void to_json(nlohmann::json& json, const RunRequest& request);
void from_json(const nlohmann::json& json, RunRequest& request);

}  // namespace lab
