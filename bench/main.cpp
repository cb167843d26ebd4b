// tandem-bench: see usage() below, and bench/README.md.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "bench/harness.h"

namespace bench {
namespace {

struct CommandLine {
  bool list = false;
  bool compiler = false;
  std::string name;  // empty: Google Benchmark
  unsigned processors = 1;
  double scale = 1;
};

void usage() {
  std::fputs(
      "Usage: tandem-bench [--benchmark_...]                     the micro benchmarks, by Google Benchmark\n"
      "       tandem-bench --case NAME [--processors P] [--scale X]   one benchmark, a JSON line per figure\n"
      "       tandem-bench --list                                names for --case\n"
      "       tandem-bench --compiler                            what it was built with\n"
      "--scale multiplies the number of operations (0.001 to 100); P is 1 to 256.\n",
      stderr);
}

[[noreturn]] void refuse(const std::string& message) {
  std::fprintf(stderr, "tandem-bench: %s\n", message.c_str());
  usage();
  std::exit(2);
}

template <class T>
T parse(std::string_view option, const char* text, T least, T most) {
  T value{};
  const char* const end = text + std::strlen(text);
  const auto [stop, error] = std::from_chars(text, end, value);
  if (error == std::errc() && stop == end && value >= least && value <= most) return value;
  std::string message(option);  // appended to: g++ 12 warns of operator+ without reason
  message.append(" is ").append(text).append("; it must be from ");
  refuse(message.append(std::to_string(least)).append(" to ").append(std::to_string(most)));
}

// What Google Benchmark left over.
CommandLine parse_command_line(int count, char** arguments) {
  CommandLine line;
  for (int i = 1; i < count; ++i) {
    const std::string_view option = arguments[i];
    if (option == "--list") {
      line.list = true;
    } else if (option == "--compiler") {
      line.compiler = true;
    } else if (option == "--help") {
      usage();
      std::exit(0);
    } else if (i + 1 == count || (option != "--case" && option != "--processors" && option != "--scale")) {
      refuse("unknown option, or one without its value: " + std::string(option));
    } else if (option == "--case") {
      line.name = arguments[++i];
    } else if (option == "--processors") {
      line.processors = parse<unsigned>(option, arguments[++i], 1, 256);
    } else {
      line.scale = parse<double>(option, arguments[++i], 0.001, 100);
    }
  }
  return line;
}

int print_compiler() {
#if defined(__clang__)
  std::printf("%s", __VERSION__);
#else
  std::printf("g++ %s", __VERSION__);
#endif
#if defined(NDEBUG)
  std::puts("");
#else
  std::puts(", with assertions: no figure of it counts");
#endif
  return 0;
}

int list() {
  for (const Micro& micro : micros()) std::puts(micro.name);
  for (const Case& whole : cases()) std::puts(whole.name);
  return 0;
}

void run_micro_once(const Micro& micro, const Recorder& recorder) {
  const std::int64_t operations = recorder.scaled(micro.operations, 10);
  micro.body(operations / 10);  // stacks, descriptors and blocks are there afterwards
  recorder.per_operation(micro.name, operations, [&] { micro.body(operations); });
}

int run_case(const CommandLine& line) {
  const Recorder recorder(line.processors, line.scale);
  for (const Micro& micro : micros()) {
    if (line.name != micro.name) continue;
    return tandem::run({.processors = line.processors}, [&] { run_micro_once(micro, recorder); });
  }
  for (const Case& whole : cases()) {
    if (line.name != whole.name) continue;
    tandem::Options options = whole.options;
    options.processors = line.processors;
    return tandem::run(options, [&] { whole.body(recorder); });
  }
  refuse("no benchmark is called " + line.name + "; --list prints all names");
}

// One tandem::run around all iterations. They come in batches, so that what a body sets up weighs little.
void run_by_google(benchmark::State& state, const Micro& micro) {
  const std::int64_t batch = std::max<std::int64_t>(1, micro.operations / 20);
  tandem::run({.processors = static_cast<std::uint32_t>(state.range(0))}, [&] {
    while (state.KeepRunningBatch(batch)) micro.body(batch);
  });
}

int run_all_by_google() {
  for (const Micro& micro : micros()) {
    benchmark::RegisterBenchmark(micro.name, [&micro](benchmark::State& state) { run_by_google(state, micro); })
        ->ArgName("P")
        ->Arg(1)
        ->Arg(2)
        ->UseRealTime()
        ->MeasureProcessCPUTime();
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

int run(int count, char** arguments) {
  benchmark::Initialize(&count, arguments);
  const CommandLine line = parse_command_line(count, arguments);
  if (line.list) return list();
  if (line.compiler) return print_compiler();
  return line.name.empty() ? run_all_by_google() : run_case(line);
}

}  // namespace
}  // namespace bench

int main(int count, char** arguments) {
  try {
    return bench::run(count, arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "tandem-bench: %s\n", error.what());
    return 1;
  }
}
