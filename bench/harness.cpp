#include "bench/harness.h"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <stdexcept>

namespace bench {
namespace {

std::int64_t read_clock(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
}

// Function statics: other files' registrations run before this file's variables would be constructed.
std::vector<Micro>& all_micros() {
  static std::vector<Micro> micros;
  return micros;
}
std::vector<Case>& all_cases() {
  static std::vector<Case> cases;
  return cases;
}

}  // namespace

std::int64_t wall_ns() { return read_clock(CLOCK_MONOTONIC); }
std::int64_t cpu_ns() { return read_clock(CLOCK_PROCESS_CPUTIME_ID); }

std::int64_t resident_bytes() {
  std::FILE* const file = std::fopen("/proc/self/statm", "r");
  long all = 0, resident = 0;
  const bool read = file != nullptr && std::fscanf(file, "%ld %ld", &all, &resident) == 2;
  if (file != nullptr) std::fclose(file);
  if (!read) throw std::runtime_error("cannot read /proc/self/statm");
  return resident * sysconf(_SC_PAGESIZE);
}

std::int64_t Recorder::scaled(std::int64_t n, std::int64_t least) const {
  return std::max(least, static_cast<std::int64_t>(static_cast<double>(n) * scale_));
}

void Recorder::record(const std::string& name, double value, const char* unit, double cpu, std::int64_t n) const {
  std::printf(R"({"name":"%s","processors":%u,"n":%lld,"value":%.6g,"unit":"%s","cpu":%.6g})"
              "\n",
              name.c_str(), processors_, static_cast<long long>(n), value, unit, cpu);
  std::fflush(stdout);
}

void Recorder::record_percentiles(const std::string& name, std::vector<std::int64_t> durations_ns) const {
  expect(!durations_ns.empty(), "no duration was recorded");
  std::sort(durations_ns.begin(), durations_ns.end());
  const auto count = static_cast<std::int64_t>(durations_ns.size());
  const auto at = [&](const char* suffix, double quantile) {
    const auto index = static_cast<std::size_t>(quantile * static_cast<double>(count - 1));
    record(name + suffix, static_cast<double>(durations_ns[index]) / 1e3, "us", 0, count);
  };
  at("/p50", 0.5);
  at("/p99", 0.99);
  at("/p99.9", 0.999);
  at("/max", 1.0);
}

Register::Register(const Micro& micro) { all_micros().push_back(micro); }
Register::Register(const Case& whole) { all_cases().push_back(whole); }
const std::vector<Micro>& micros() { return all_micros(); }
const std::vector<Case>& cases() { return all_cases(); }

}  // namespace bench
