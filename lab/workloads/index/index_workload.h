#pragma once
// The workload `index`: an inverted index of a directory's files is built, over and over, by a pipeline of
// goroutines (pipeline.h), while others query it (queries.h).
#include "lab/workload.h"

namespace lab::index {

void check_index(const RunRequest& request);
nlohmann::json run_index(const RunRequest& request, const ParentPipe& parent);

inline constexpr Workload kIndexWorkload{
    "index", "indexes the files of a directory (--input DIR) while goroutines query the index", check_index, run_index};

}  // namespace lab::index
