#include "lab/experiment.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "lab/child_process.h"
#include "lab/knobs.h"
#include "lab/workload.h"

namespace lab {
namespace {

// One line on a terminal that is written over again and again; nothing at all elsewhere.
class ProgressLine {
 public:
  ~ProgressLine() { show(""); }
  bool visible() const { return visible_; }
  void show(const std::string& text) const {
    if (!visible_) return;
    fmt::print(stderr, "\r\033[K{}", text);
    std::fflush(stderr);
  }

 private:
  bool visible_ = isatty(STDERR_FILENO) == 1;
};

ChildCommand child_command(const RunRequest& request, const Variant& variant) {
  ChildCommand command;
  command.arguments = {nlohmann::json(request).dump()};
  for (const auto& [knob, value] : variant.knobs) command.environment.emplace_back(environment_name(knob), value);
  return command;
}

// The variant's, and where it sets none those in force.
GoSettings go_settings(const Variant& variant) {
  auto knobs = known_knobs();
  knobs.insert(knobs.end(), variant.knobs.begin(), variant.knobs.end());
  GoSettings settings;
  for (const auto& [knob, value] : knobs) {
    if (knob == "processors") settings.processors = value;
    if (knob == "gc_percent") settings.gc_percent = value;
  }
  return settings;
}

ChildOutcome run_variant(const RunRequest& request, const Variant& variant,
                         const std::function<void(const std::string&)>& on_progress) {
  const Workload& workload = workload_named(request.workload);
  if (variant.go_twin) return workload.run_go_twin(request, go_settings(variant));
  const auto on_question = [&](const nlohmann::json& question) { return workload.answer(request, question); };
  return run_child(child_command(request, variant), {on_progress, on_question});
}

nlohmann::json result_of(ChildOutcome outcome) {
  nlohmann::json result = std::move(outcome.result);
  result["metrics"]["process_cpu_seconds"] = outcome.cpu_seconds;
  result["metrics"]["peak_rss_bytes"] = outcome.peak_rss_bytes;
  return result;
}

}  // namespace

std::vector<Run> run_experiment(const CommandLine& command_line) {
  const ProgressLine line;
  std::vector<Run> runs;
  const int rounds = command_line.warm_up + command_line.repeat;
  const std::size_t total = static_cast<std::size_t>(rounds) * command_line.variants.size();
  RunRequest request = command_line.request;
  request.progress = line.visible();

  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < command_line.variants.size(); ++i) {
      const Variant& variant = command_line.variants[i];
      const bool warm_up = round < command_line.warm_up;
      const auto headline =
          fmt::format("run {} of {}, {}{}", runs.size() + 1, total, variant.label(), warm_up ? " (warm-up)" : "");
      line.show(headline);
      const auto on_progress = [&](const std::string& text) { line.show(headline + ": " + text); };
      try {
        runs.push_back({i, round, warm_up, result_of(run_variant(request, variant, on_progress))});
      } catch (const ChildFailed& failure) {
        throw ChildFailed(fmt::format("{}: {}", headline, failure.what()), failure.exit_status);
      }
      request.verbose = false;  // every run skips the same files: the first one names them
    }
  }
  return runs;
}

Summary summarise_metric(const std::vector<Run>& runs, std::size_t variant, const std::string& metric) {
  std::vector<double> values;
  for (const Run& run : runs) {
    if (run.variant != variant || run.warm_up) continue;
    const auto& metrics = run.result.at("metrics");
    if (const auto found = metrics.find(metric); found != metrics.end()) values.push_back(found->get<double>());
  }
  return summarise(std::move(values));
}

}  // namespace lab
