#pragma once
// What the parent does for a run of the workload kv: fills the server and loads it.
#include <cstdint>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "lab/run_request.h"

namespace lab::kv_load {

// Answers {"fill": port} and {"load": port}, the latter with the load's metrics.
nlohmann::json answer_kv(const RunRequest& request, const nlohmann::json& question);

// "input_text" and "input" of the run's result.
void describe_input(const KvRequest& request, nlohmann::json& result);

}  // namespace lab::kv_load
