#pragma once
// What an experiment leaves behind: a text with one table, and the raw figures as JSON.
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "lab/command_line.h"
#include "lab/experiment.h"
#include "lab/machine.h"

namespace lab {

struct Report {
  const CommandLine& command_line;
  const std::string command;  // as the user typed it
  const Machine& machine;
  const std::vector<Run>& runs;
};

// Machine, input, command, then a row for each variant. `columns_max` is the width there is.
std::string report_text(const Report& report, std::size_t columns_max);

// Everything: machine, command, environment, request, and for each variant its knobs, every run and the
// summary.
nlohmann::json report_json(const Report& report);

}  // namespace lab
