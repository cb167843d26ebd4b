#pragma once
// The command line of tandem-lab: what it may say, and the request it amounts to.
#include <stdexcept>
#include <string>
#include <vector>

#include "lab/run_request.h"
#include "lab/variant.h"

namespace lab {

// Something the user gave is wrong; what() says which thing, and what would be right. Exit status 2.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

enum class Action { help, list, run };

struct CommandLine {
  Action action = Action::help;
  std::string help_text;  // help: what to print

  // run:
  RunRequest request;
  std::vector<Variant> variants;
  int repeat = 5;
  int warm_up = 1;
  std::string json_file;  // empty: none
};

// `arguments` without the program's name. Throws UsageError; looks at no file.
CommandLine parse_command_line(std::vector<std::string> arguments);

}  // namespace lab
