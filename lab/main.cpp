// tandem-lab: runs experiments on the Tandem runtime. The parent process (here) parses the command line,
// starts a child for every run (experiment.h), and prints what they report; only the children boot the
// runtime.
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "lab/child_main.h"
#include "lab/child_process.h"
#include "lab/command_line.h"
#include "lab/experiment.h"
#include "lab/knobs.h"
#include "lab/report.h"
#include "lab/shell_quote.h"
#include "lab/workload.h"

namespace {

constexpr std::size_t kColumnsOfFile = 400;  // a file or a pipe has room for the spreads

std::size_t output_columns() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return kColumnsOfFile;
}

void print_list() {
  fmt::print("workloads (tandem-lab run WORKLOAD --help):\n");
  for (const lab::Workload& workload : lab::workloads()) fmt::print("  {:14}{}\n", workload.name, workload.summary);
  fmt::print("\nknobs (--set KNOB=VALUE[,VALUE...]; documented in <tandem/runtime.h>), with the values in force:\n");
  for (const auto& [knob, value] : lab::known_knobs()) fmt::print("  {}={}\n", knob, value);
}

// Opened before the runs, so that a path that cannot be written is known at once and not after an hour.
std::ofstream open_json(const std::string& path) {
  std::ofstream file(path);
  if (!file) throw lab::UsageError(fmt::format("--json: cannot write '{}': {}", path, std::strerror(errno)));
  return file;
}

int run(const lab::CommandLine& command_line, const std::string& command) {
  lab::workload_named(command_line.request.workload).check(command_line.request);
  lab::check_knobs(command_line.variants);
  std::ofstream json_file;
  if (!command_line.json_file.empty()) json_file = open_json(command_line.json_file);

  const lab::Machine machine = lab::this_machine();
  const std::vector<lab::Run> runs = lab::run_experiment(command_line);
  const lab::Report report{command_line, command, machine, runs};
  fmt::print("{}", lab::report_text(report, output_columns()));
  if (json_file.is_open()) {
    constexpr auto kReplace = nlohmann::json::error_handler_t::replace;  // file names need not be UTF-8
    json_file << lab::report_json(report).dump(2, ' ', false, kReplace) << '\n';
    if (!json_file.flush()) throw std::runtime_error("--json: writing '" + command_line.json_file + "' failed");
  }
  return 0;
}

int parent_main(const std::vector<std::string>& arguments) {
  const lab::CommandLine command_line = lab::parse_command_line(arguments);
  switch (command_line.action) {
    case lab::Action::help: fmt::print("{}\n", command_line.help_text); return 0;
    case lab::Action::list: print_list(); return 0;
    case lab::Action::run: break;
  }
  std::string command = "tandem-lab";
  for (const std::string& argument : arguments) command.append(" ").append(lab::shell_quote(argument));
  return run(command_line, command);
}

// A descriptor's number, or -1.
int parse_descriptor(const std::string& text) {
  int number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : -1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() == 3 && arguments[0] == lab::kChildCommand)
    return lab::child_main(parse_descriptor(arguments[1]), arguments[2]);
  try {
    return parent_main(arguments);
  } catch (const lab::UsageError& error) {
    fmt::print(stderr, "tandem-lab: {}\n", error.what());
    return 2;
  } catch (const lab::ChildFailed& failure) {
    fmt::print(stderr, "tandem-lab: {}\n", failure.what());
    return failure.exit_status;
  } catch (const std::exception& error) {
    fmt::print(stderr, "tandem-lab: {}\n", error.what());
    return 1;
  }
}
