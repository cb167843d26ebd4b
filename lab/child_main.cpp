#include "lab/child_main.h"

#include <tandem/tandem.h>
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "lab/child_process.h"
#include "lab/command_line.h"
#include "lab/workload.h"

namespace lab {

int child_main(int pipe_end, const std::string& request_json) {
  bool booted = false;
  try {
    const auto request = nlohmann::json::parse(request_json).get<RunRequest>();
    const ParentPipe parent(pipe_end);
    const Workload& workload = workload_named(request.workload);
    nlohmann::json result;
    tandem::run([&] {
      booted = true;
      result = workload.run(request, parent);
    });
    parent.result(std::move(result));
    return 0;
  } catch (const UsageError& error) {
    fmt::print(stderr, "tandem-lab: {}\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "tandem-lab: {}\n", error.what());
    return booted ? 1 : 2;  // what stops the runtime from booting is a bad knob
  }
}

}  // namespace lab
