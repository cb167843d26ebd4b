#include "lab/report.h"

#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "lab/columns.h"
#include "lab/table.h"

namespace lab {
namespace {

constexpr int kJsonFormat = 1;  // raised when a key changes its meaning or goes

std::vector<Column> used_columns(const Report& report) {
  std::vector<Column> used;
  for (const Column& column : columns()) {
    for (std::size_t i = 0; i < report.command_line.variants.size(); ++i) {
      if (summarise_metric(report.runs, i, column.metric).count == 0) continue;
      used.push_back(column);
      break;
    }
  }
  return used;
}

std::string cell(const Column& column, const Summary& summary) {
  if (summary.count == 0) return "-";
  return format_value(column.aggregate == Aggregate::maximum ? summary.max : summary.median, column.unit);
}

std::string spread_cell(const Column& column, const Summary& summary) {
  if (summary.count < 2) return "";
  return format_spread(summary.min, summary.max, column.unit);
}

Table table_of(const Report& report) {
  Table table;
  table.add_column("", "variant");
  const auto used = used_columns(report);
  for (const Column& column : used) table.add_column(column.group, column.header);
  const bool spread = report.command_line.repeat > 1;
  for (std::size_t i = 0; i < report.command_line.variants.size(); ++i) {
    std::vector<std::string> cells{report.command_line.variants[i].label()};
    std::vector<std::string> details{""};
    for (const Column& column : used) {
      const Summary summary = summarise_metric(report.runs, i, column.metric);
      cells.push_back(cell(column, summary));
      details.push_back(spread_cell(column, summary));
    }
    table.add_row(std::move(cells));
    if (spread) table.add_detail_row(std::move(details));
  }
  return table;
}

nlohmann::json tandem_environment() {
  nlohmann::json variables = nlohmann::json::object();
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const auto equals = text.find('=');
    if (text.starts_with("TANDEM_") && equals != std::string_view::npos)
      variables[std::string(text.substr(0, equals))] = std::string(text.substr(equals + 1));
  }
  return variables;
}

nlohmann::json summaries(const Report& report, std::size_t variant) {
  std::set<std::string> names;
  for (const Run& run : report.runs)
    for (const auto& [name, value] : run.result.at("metrics").items()) names.insert(name);
  nlohmann::json result = nlohmann::json::object();
  for (const std::string& name : names) {
    const Summary summary = summarise_metric(report.runs, variant, name);
    if (summary.count > 0) result[name] = {{"median", summary.median}, {"min", summary.min}, {"max", summary.max}};
  }
  return result;
}

nlohmann::json variant_json(const Report& report, std::size_t variant) {
  nlohmann::json knobs = nlohmann::json::object();
  for (const auto& [knob, value] : report.command_line.variants[variant].knobs) knobs[knob] = value;
  nlohmann::json runs = nlohmann::json::array();
  for (const Run& run : report.runs) {
    if (run.variant != variant) continue;
    nlohmann::json entry = run.result;
    entry["round"] = run.round;
    entry["warm_up"] = run.warm_up;
    runs.push_back(std::move(entry));
  }
  return {{"label", report.command_line.variants[variant].label()},
          {"knobs", knobs},
          {"runs", runs},
          {"summary", summaries(report, variant)}};
}

}  // namespace

std::string report_text(const Report& report, std::size_t columns_max) {
  std::string text = fmt::format("machine: {}\n", report.machine.text());
  if (!report.runs.empty()) text += fmt::format("input:   {}\n", report.runs.back().result.value("input_text", "none"));
  text += fmt::format("command: {}\n\n", report.command);
  text += table_of(report).render(columns_max);
  text += fmt::format("\nruns of each variant: {}, in turn, each a process of its own", report.command_line.repeat);
  if (report.command_line.repeat > 1)
    text += "; medians (max and longest: the largest of all runs), below them min..max where there is room";
  return text + "\n";
}

nlohmann::json report_json(const Report& report) {
  nlohmann::json variants = nlohmann::json::array();
  for (std::size_t i = 0; i < report.command_line.variants.size(); ++i) variants.push_back(variant_json(report, i));
  return {{"format", kJsonFormat},
          {"machine", report.machine},
          {"command", report.command},
          {"environment", tandem_environment()},
          {"request", report.command_line.request},
          {"repeat", report.command_line.repeat},
          {"warm_up", report.command_line.warm_up},
          {"variants", variants}};
}

}  // namespace lab
