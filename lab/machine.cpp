#include "lab/machine.h"

#include <fmt/format.h>
#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "lab/units.h"

namespace lab {
namespace {

std::string processor_model(const utsname& system) {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return system.machine;  // aarch64 kernels name no model
}

int usable_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  // Fails on machines with more than 1,024 processors; then all that are online are counted.
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set)
                                                     : static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
}

std::uint64_t memory_bytes() {
  return static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

constexpr const char* kCompiler =
#if defined(__clang__)
    "clang " __clang_version__;
#else
    "g++ " __VERSION__;
#endif

}  // namespace

Machine this_machine() {
  utsname system{};
  uname(&system);
  return {.processor = processor_model(system),
          .processors = usable_processors(),
          .memory_bytes = memory_bytes(),
          .system = fmt::format("{} {}", system.sysname, system.release),
          .compiler = kCompiler,
#ifdef NDEBUG
          .optimised = true};
#else
          .optimised = false};
#endif
}

std::string Machine::text() const {
  return fmt::format("{}, {} processors, {}, {}; {}{}", processor, processors,
                     format_value(static_cast<double>(memory_bytes), Unit::bytes), system, compiler,
                     optimised ? "" : ", a build with assertions: its times mean little");
}

void to_json(nlohmann::json& json, const Machine& machine) {
  json = {{"processor", machine.processor}, {"processors", machine.processors}, {"memory_bytes", machine.memory_bytes},
          {"system", machine.system},       {"compiler", machine.compiler},     {"optimised", machine.optimised}};
}

}  // namespace lab
