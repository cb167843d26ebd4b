#pragma once
// A fixed rate of allocation beside a live set of fixed size: workloads/hyperalloc.h says what exactly.
#include "lab/workload.h"

namespace lab {

nlohmann::json run_hyperalloc(const RunRequest& request, const ParentPipe& parent);

inline constexpr Workload kHyperAllocWorkload{
    "hyperalloc", "allocates at a fixed rate beside a live set of fixed size; who has to wait?", accept_any_request,
    run_hyperalloc};

}  // namespace lab
