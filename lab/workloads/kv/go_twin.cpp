#include "lab/workloads/kv/go_twin.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>

#include "lab/command_line.h"
#include "lab/shell_quote.h"
#include "lab/workloads/kv/client.h"
#include "lab/workloads/kv/fill.h"
#include "lab/workloads/kv/go_process.h"
#include "lab/workloads/kv/load.h"
#include "lab/workloads/kv/parent_side.h"

namespace lab::kv_load {
namespace {

// What the twin says of its runtime.
class GoInfo {
 public:
  explicit GoInfo(std::uint16_t port) {
    Client client(port);
    client.add({"INFO"});
    text_ = client.wait_for_reply().text;
  }

  std::uint64_t operator[](const std::string& name) const {
    const std::size_t at = text_.find("\n" + name + ":");
    std::uint64_t value = 0;
    if (at == std::string::npos) throw std::runtime_error("kv: the twin's INFO says nothing of " + name);
    std::from_chars(text_.data() + at + name.size() + 2, text_.data() + text_.size(), value);
    return value;
  }

 private:
  std::string text_;
};

void add_runtime_metrics(nlohmann::json& metrics, const GoInfo& before, const GoInfo& after) {
  const auto grown = [&](const char* name) { return after[name] - before[name]; };
  metrics["cycles"] = grown("collection_cycles");
  metrics["allocated_bytes"] = grown("allocated_bytes");
  metrics["interval_cpu_ns"] = grown("used_cpu_ns");
  // The whole run's, as the workload's is.
  metrics["longest_all_stopped_ns"] = after["longest_pause_ns"];
  if (const auto requests = metrics["requests"].get<std::uint64_t>(); requests > 0)
    metrics["request_cpu_ns"] = grown("used_cpu_ns") / requests;
}

}  // namespace

void build_go_twin() {
  if (std::system("command -v go >/dev/null 2>&1") != 0)
    throw UsageError(
        "--beside-go: there is no 'go' in PATH; install Go (Debian: golang-go), or leave the option out to run without "
        "its "
        "twin");
  const std::filesystem::path program = TANDEM_GO_KV_PROGRAM;
  std::filesystem::create_directories(program.parent_path());
  // The standard library is all it needs: no module is fetched.
  const std::string build =
      fmt::format("cd {} && GO111MODULE=on GOFLAGS= GOPROXY=off GOTOOLCHAIN=local CGO_ENABLED=0 go build -o {} . >&2",
                  shell_quote(TANDEM_GO_KV_SOURCES), shell_quote(program.string()));
  if (std::system(build.c_str()) != 0)
    throw UsageError(fmt::format("--beside-go: Go cannot build {} (its messages are above)", TANDEM_GO_KV_SOURCES));
}

ChildOutcome run_go_twin(const RunRequest& request, const GoSettings& settings) try {
  GoProcess twin(TANDEM_GO_KV_PROGRAM, settings);
  fill(request.kv, twin.port());
  const GoInfo before(twin.port());
  nlohmann::json metrics = run_load(request.kv, twin.port());
  add_runtime_metrics(metrics, before, GoInfo(twin.port()));
  ChildOutcome outcome;
  twin.end(outcome);
  outcome.result = {{"metrics", std::move(metrics)}};
  describe_input(request.kv, outcome.result);
  return outcome;
} catch (const std::exception& error) {
  throw ChildFailed(error.what(), 1);
}

}  // namespace lab::kv_load
