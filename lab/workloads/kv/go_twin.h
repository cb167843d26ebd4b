#pragma once
// bench/peers/go_kv, the same server in Go, under the same load.
#include "lab/child_process.h"
#include "lab/run_request.h"
#include "lab/workload.h"

namespace lab::kv_load {

// Builds it. Throws UsageError when there is no Go, or it cannot be built.
void build_go_twin();

// Runs it as a process of its own and returns the metrics that it shares with the workload. Throws ChildFailed.
ChildOutcome run_go_twin(const RunRequest& request, const GoSettings& settings);

}  // namespace lab::kv_load
