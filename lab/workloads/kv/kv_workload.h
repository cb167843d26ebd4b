#pragma once
// The key-value store of examples/kv_server, served to clients in another process (load.h) that send at their own pace:
// how long do requests wait while the collector works?
#include "lab/workload.h"
#include "lab/workloads/kv/go_twin.h"
#include "lab/workloads/kv/parent_side.h"

namespace lab {

// In the parent: enough descriptors, and the twin in Go if it is asked for. Throws UsageError.
void check_kv(const RunRequest& request);
nlohmann::json run_kv(const RunRequest& request, const ParentPipe& parent);

inline constexpr Workload kKvWorkload{
    "kv",
    "serves a key-value store under requests that are due at fixed times; how long do they wait?",
    check_kv,
    run_kv,
    kv_load::answer_kv,
    kv_load::run_go_twin};

}  // namespace lab
