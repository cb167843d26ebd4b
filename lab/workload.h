#pragma once
// What a workload offers. A workload's run() is the first goroutine of a run in a child process.
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "lab/child_process.h"
#include "lab/run_request.h"

namespace lab {

// How Go's runtime is set where Tandem's has these knobs.
struct GoSettings {
  std::string processors;  // GOMAXPROCS
  std::string gc_percent;  // GOGC
};

struct Workload {
  const char* name;
  const char* summary;  // for `tandem-lab list`

  // Called in the parent before any run. Throws UsageError when the request cannot be carried out.
  void (*check)(const RunRequest& request);

  // Returns {"metrics": {name: number ...}, "input_text": text for people, "input": raw figures}. Throws
  // std::exception when the run failed, or its result was wrong.
  nlohmann::json (*run)(const RunRequest& request, const ParentPipe& parent);

  // In the parent: answers what run() asks it (ParentPipe::ask). Null: it asks nothing.
  nlohmann::json (*answer)(const RunRequest& request, const nlohmann::json& question) = nullptr;

  // In the parent: runs the workload's twin in Go in a process of its own, under the same load. Throws ChildFailed.
  // Null: there is none.
  ChildOutcome (*run_go_twin)(const RunRequest& request, const GoSettings& settings) = nullptr;
};

// The check of workloads whose requests the command line has checked already.
inline void accept_any_request(const RunRequest&) {}

std::span<const Workload> workloads();

// Throws UsageError naming the workloads there are.
const Workload& workload_named(const std::string& name);

}  // namespace lab
