#pragma once
// An experiment: every variant of a request, run so that each has the same chances.
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "lab/command_line.h"
#include "lab/summary.h"

namespace lab {

struct Run {
  std::size_t variant;  // index into CommandLine::variants
  int round;
  bool warm_up;
  nlohmann::json result;  // the workload's: "metrics" (numbers by name), "input_text", "input"
};

// Runs the variants in turn, A B A B ..., one round after the other, so that what changes with time on the
// machine (its heat, its neighbours) meets all of them alike. Shows a line of progress if stderr is a
// terminal. Throws ChildFailed naming the variant.
std::vector<Run> run_experiment(const CommandLine& command_line);

// The counted runs' values of one metric; a run without it is left out.
Summary summarise_metric(const std::vector<Run>& runs, std::size_t variant, const std::string& metric);

}  // namespace lab
