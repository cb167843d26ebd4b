#include "lab/command_line.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lab {
namespace {

using Words = std::vector<std::string>;

std::string usage_error_of(const Words& words) {
  try {
    parse_command_line(words);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "no error";
}

#define EXPECT_USAGE_ERROR(part, ...)                                               \
  do {                                                                              \
    const std::string message = usage_error_of(Words{__VA_ARGS__});                 \
    EXPECT_NE(message.find(part), std::string::npos) << "message was: " << message; \
  } while (false)

TEST(CommandLine, ReadsARequest) {
  const CommandLine line = parse_command_line({"run",      "index",
                                               "--input",  "/data",
                                               "--glob",   "*.h,*.c",
                                               "--stop",   "ragged,stop_the_world",
                                               "-P",       "2",
                                               "--set",    "gc_percent=50,200",
                                               "--set",    "mark_idle=off",
                                               "--repeat", "3",
                                               "--warmup", "0",
                                               "--json",   "out.json",
                                               "-v",       "--queries-per-second",
                                               "250.5",    "--live-mb",
                                               "64",       "--gap-probes",
                                               "2"});
  EXPECT_EQ(line.action, Action::run);
  EXPECT_EQ(line.request.workload, "index");
  EXPECT_EQ(line.request.index.input, "/data");
  EXPECT_EQ(line.request.index.globs, (Words{"*.h", "*.c"}));
  EXPECT_EQ(line.request.index.queries_per_second, 250.5);
  EXPECT_EQ(line.request.index.live_mb, 64u);
  EXPECT_EQ(line.request.gap_probes, 2);
  EXPECT_TRUE(line.request.verbose);
  EXPECT_EQ(line.repeat, 3);
  EXPECT_EQ(line.warm_up, 0);
  EXPECT_EQ(line.json_file, "out.json");
  ASSERT_EQ(line.variants.size(), 4u);
  EXPECT_EQ(line.variants[3].label(), "stop=stop_the_world processors=2 gc_percent=200 mark_idle=off");
}

TEST(CommandLine, HasDefaults) {
  const CommandLine line = parse_command_line({"run", "binary-trees"});
  EXPECT_EQ(line.request.workload, "binary-trees");
  EXPECT_EQ(line.request.binary_trees.depth, 16);
  EXPECT_EQ(line.repeat, 5);
  EXPECT_EQ(line.warm_up, 1);
  EXPECT_EQ(line.variants.size(), 1u);
}

TEST(CommandLine, ReadsTheOptionsOfTheCollectorsWorkloads) {
  const CommandLine rate = parse_command_line(
      {"run", "hyperalloc", "--rate", "1500.5", "--live", "256", "--seconds", "0.5", "--goroutines", "3"});
  EXPECT_EQ(rate.request.hyperalloc, (HyperAllocRequest{.rate = 1500.5, .live = 256, .seconds = 0.5, .goroutines = 3}));
  const CommandLine quads =
      parse_command_line({"run", "quads", "--depth", "5", "--goroutines", "2", "--rounds", "7", "--turns", "0"});
  EXPECT_EQ(quads.request.quads, (QuadsRequest{.depth = 5, .goroutines = 2, .rounds = 7, .turns = 0}));
  EXPECT_EQ(parse_command_line({"run", "gcbench", "--depth", "12"}).request.gcbench.depth, 12);
  EXPECT_EQ(parse_command_line({"run", "mt-gcbench", "--goroutines", "8"}).request.gcbench,
            (GcBenchRequest{.depth = 16, .goroutines = 8}));
}

#ifdef TANDEM_LAB_KV
TEST(CommandLine, ReadsTheOptionsOfKv) {
  const CommandLine line =
      parse_command_line({"run", "kv", "--live", "256", "--value", "100", "--rate", "5e3", "--arrivals", "poisson",
                          "--connections", "7", "--seconds", "2.5", "--writes", "0.1", "--seed", "9"});
  EXPECT_EQ(line.request.kv, (KvRequest{.live = 256,
                                        .value = 100,
                                        .rate = 5000,
                                        .arrivals = "poisson",
                                        .connections = 7,
                                        .seconds = 2.5,
                                        .writes = 0.1,
                                        .seed = 9}));
  EXPECT_EQ(line.variants.size(), 1u);
}

TEST(CommandLine, BesideGoAddsVariants) {
  const CommandLine line =
      parse_command_line({"run", "kv", "--beside-go", "-P", "2", "--stop", "ragged,stop_the_world"});
  ASSERT_EQ(line.variants.size(), 3u);
  EXPECT_FALSE(line.variants[1].go_twin);
  EXPECT_TRUE(line.variants[2].go_twin);
  EXPECT_EQ(line.variants[2].label(), "Go processors=2");
}
#endif

TEST(CommandLine, TheLastOfAnOptionCounts) {
  EXPECT_EQ(parse_command_line({"run", "binary-trees", "--repeat", "2", "--repeat", "4"}).repeat, 4);
}

TEST(CommandLine, HelpAndList) {
  EXPECT_EQ(parse_command_line({"list"}).action, Action::list);
  for (const Words& words : {Words{"help"}, Words{"--help"}, Words{"run", "--help"}, Words{"run", "index", "-h"}}) {
    const CommandLine line = parse_command_line(words);
    EXPECT_EQ(line.action, Action::help);
    EXPECT_FALSE(line.help_text.empty());
  }
  const std::string help = parse_command_line({"help"}).help_text;
  for (const char* part : {"--live-mb", "--depth", "--stop", "--set", "process of its own", "Exit status"})
    EXPECT_NE(help.find(part), std::string::npos) << part;
}

TEST(CommandLine, BadInputIsNamedWithWhatIsAllowed) {
  EXPECT_USAGE_ERROR("binary-trees, gcbench, mt-gcbench, quads or hyperalloc", "run");
  EXPECT_USAGE_ERROR("unknown workload 'idnex'; the workloads are index, ", "run", "idnex");
  EXPECT_USAGE_ERROR("binary-trees, gcbench, mt-gcbench, quads and hyperalloc", "run", "idnex");
  EXPECT_USAGE_ERROR("--input is required", "run", "index");
  EXPECT_USAGE_ERROR("--input is required", "run", "index", "--input", "");
  EXPECT_USAGE_ERROR("--inptu", "run", "index", "--inptu", "x");
  EXPECT_USAGE_ERROR("'--verbos' stands before a command", "--verbos");
  EXPECT_USAGE_ERROR("--repeat", "run", "binary-trees", "--repeat", "0");
  EXPECT_USAGE_ERROR("1 to 1000", "run", "binary-trees", "--repeat", "0");
  EXPECT_USAGE_ERROR("--repeat", "run", "binary-trees", "--repeat", "many");
  EXPECT_USAGE_ERROR("6 to 26", "run", "binary-trees", "--depth", "60");
  EXPECT_USAGE_ERROR("--inptu", "run", "binary-trees", "--inptu", "x");
  EXPECT_USAGE_ERROR("--input", "run", "binary-trees", "--input", "x");  // an option of another workload
  EXPECT_USAGE_ERROR("--stop", "run", "binary-trees", "--stop", "ragged,");
  EXPECT_USAGE_ERROR("'stop' is given twice", "run", "binary-trees", "--stop", "ragged", "--set", "stop=ragged");
  EXPECT_USAGE_ERROR("--stop", "run", "binary-trees", "--stop", "ragged", "--stop", "stop_the_world");
  EXPECT_USAGE_ERROR("unknown command 'frobnicate'", "frobnicate");
  EXPECT_EQ(usage_error_of({}), "say what to do: list, run or help");
}

}  // namespace
}  // namespace lab
