#pragma once
// GCBench and MT_GCBench: workloads/gcbench.h says what they do.
#include "lab/workload.h"

namespace lab {

// One goroutine, whatever the request says of mt_gcbench.
nlohmann::json run_gcbench(const RunRequest& request, const ParentPipe& parent);
nlohmann::json run_mt_gcbench(const RunRequest& request, const ParentPipe& parent);

inline constexpr Workload kGcBenchWorkload{
    "gcbench", "builds trees top down and bottom up beside a long-lived tree and array (GCBench)", accept_any_request,
    run_gcbench};
inline constexpr Workload kMtGcBenchWorkload{
    "mt-gcbench", "the same by several goroutines beside one long-lived tree and array (MT_GCBench)",
    accept_any_request, run_mt_gcbench};

}  // namespace lab
