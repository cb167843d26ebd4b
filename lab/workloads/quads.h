#pragma once
// Quadtrees, turned and rebuilt at random: workloads/quads.h says how.
#include "lab/workload.h"

namespace lab {

nlohmann::json run_quads(const RunRequest& request, const ParentPipe& parent);

inline constexpr Workload kQuadsWorkload{
    "quads", "turns and rebuilds random parts of quadtrees, a goroutine for each tree", accept_any_request, run_quads};

}  // namespace lab
