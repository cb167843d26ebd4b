// What the benchmarks are written against. Two kinds:
//
//   Micro   body(n) does one operation n times. Run by Google Benchmark (`tandem-bench`), or once with a
//   fixed
//           n (`tandem-bench --case NAME`), which is what bench/run.py compares with the twin in peers/go.
//   Case    a whole program that takes its own figures; `--case NAME` only.
//
// Either runs as the first goroutine of a tandem::run of its own, with the number of processors asked for. A
// figure is printed as one JSON line: name, processors, n, value (by the wall clock), unit, cpu (the
// processor time of the whole process over the same interval, in the same unit; 0 where that has no meaning).
#pragma once

#include <tandem/tandem.h>

#include <cstdint>
#include <string>
#include <vector>

#include "workloads/expect.h"
#include "workloads/random.h"

namespace bench {

// Nanoseconds: of the steady clock, and of processor time that all threads of the process have used.
std::int64_t wall_ns();
std::int64_t cpu_ns();
// Bytes of the process that are in memory.
std::int64_t resident_bytes();

class Recorder {
 public:
  Recorder(unsigned processors, double scale) : processors_(processors), scale_(scale) {}

  unsigned processors() const { return processors_; }
  // n, made smaller or larger as the command line asks; at least `least`.
  std::int64_t scaled(std::int64_t n, std::int64_t least = 1) const;

  void record(const std::string& name, double value, const char* unit, double cpu, std::int64_t n) const;
  // p50, p99, p99.9 and max of durations in nanoseconds, as `name`/p50 and so on, in microseconds.
  void record_percentiles(const std::string& name, std::vector<std::int64_t> durations_ns) const;

  // What `name` computed, as far as a figure holds it: run.py compares it with the twin's.
  void record_checksum(const std::string& name, std::uint64_t checksum) const {
    record(name + "/checksum", static_cast<double>(checksum % 1'000'000), "", 0, 1);
  }

  // Runs body() once, which does n operations; records nanoseconds for each.
  template <class Body>
  void per_operation(const std::string& name, std::int64_t n, Body&& body) const {
    timed(name, static_cast<double>(n), "ns", n, body);
  }
  // Runs body() once; records milliseconds for the whole.
  template <class Body>
  void whole(const std::string& name, std::int64_t n, Body&& body) const {
    timed(name, 1e6, "ms", n, body);
  }

 private:
  template <class Body>
  void timed(const std::string& name, double divisor, const char* unit, std::int64_t n, Body& body) const {
    const std::int64_t cpu = cpu_ns(), wall = wall_ns();
    body();
    const std::int64_t wall_taken = wall_ns() - wall, cpu_taken = cpu_ns() - cpu;
    record(name, static_cast<double>(wall_taken) / divisor, unit, static_cast<double>(cpu_taken) / divisor, n);
  }

  unsigned processors_;
  double scale_;
};

struct Micro {
  const char* name;
  std::int64_t operations;  // by `--case`; the warm-up does a tenth of it
  void (*body)(std::int64_t operations);
};
struct Case {
  const char* name;
  void (*body)(const Recorder& recorder);
  tandem::Options options = {};  // `processors` is filled in
};

// Constructed at namespace scope, each adds one benchmark.
struct Register {
  explicit Register(const Micro& micro);
  explicit Register(const Case& whole);
};
const std::vector<Micro>& micros();
const std::vector<Case>& cases();

using workloads::expect;
using workloads::Random;

}  // namespace bench
