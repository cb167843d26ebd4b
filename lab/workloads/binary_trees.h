#pragma once
// The binary-trees program of the Benchmarks Game: complete binary trees are built, walked and dropped, a
// goroutine for each depth, beside one tree that lives to the end.
#include "lab/workload.h"

namespace lab {

nlohmann::json run_binary_trees(const RunRequest& request, const ParentPipe& parent);

inline constexpr Workload kBinaryTreesWorkload{
    "binary-trees", "builds, walks and drops binary trees, a goroutine for each depth (Benchmarks Game)",
    accept_any_request, run_binary_trees};

}  // namespace lab
