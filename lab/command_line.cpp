#include "lab/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <memory>
#include <stdexcept>

namespace lab {
namespace {

constexpr const char* kFooter = R"(
Knobs. A knob is a field of tandem::Options; tandem-lab sets it through the environment variable
TANDEM_<FIELD>, so that every knob of the library can be set, and the library itself judges the value. Several
values, separated by commas, make several variants; several knobs with several values, their product. Variants
that differ in several knobs are given one by one: --variant defaults --variant 'barrier=none stop=stop_the_world'.

Runs. Every run is a process of its own (this program again), so that resident memory and the state of the
heap belong to that run alone. Variants take turns, A B A B ..., after --warmup rounds that are not counted.

Example:
  tandem-lab run index --input /usr/include --glob '*.h' --stop ragged,stop_the_world --repeat 5

Exit status: 0 all runs succeeded; 1 a run failed or gave a wrong result; 2 bad input.)";

// Knobs with an option of their own; all others are reached with --set.
struct Shortcut {
  const char* option;
  const char* knob;
  const char* help;
};
constexpr std::array kShortcuts{
    Shortcut{"--stop", "stop", "knob stop: ragged, stop_the_world"},
    Shortcut{"-P,--processors", "processors", "knob processors: goroutines that run at once"},
    Shortcut{"--gc-percent", "gc_percent", "knob gc_percent: growth of the heap that starts a collection, percent"},
};

struct KnobArguments {
  std::array<std::string, kShortcuts.size()> shortcuts;
  std::vector<std::string> set;
  std::vector<std::string> variants;
};

struct Parser {
  CommandLine result;
  KnobArguments knobs;
  std::string globs;
  CLI::App app{"tandem-lab: runs experiments on the Tandem runtime and compares variants", "tandem-lab"};

  Parser();
  void add_common_options(CLI::App& command);
  void add_index_options(CLI::App& command);
  void add_binary_trees_options(CLI::App& command);
  void add_gcbench_options(CLI::App& command, bool several_goroutines);
  void add_quads_options(CLI::App& command);
  void add_hyperalloc_options(CLI::App& command);
  void add_kv_options(CLI::App& command);
  std::vector<KnobValues> knob_values() const;
  std::vector<Variant> explicit_variants() const;
};

Parser::Parser() {
  app.require_subcommand(1);
  app.footer(kFooter);
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);  // inherited by subcommands
  app.add_subcommand("help", "Print all options of all commands");
  app.add_subcommand("list", "List the workloads and all knobs with their values");
  CLI::App* run = app.add_subcommand("run", "Run a workload and print a table with a row for each variant");
  run->require_subcommand(1);
  CLI::App* index = run->add_subcommand("index", "Index a directory's files while goroutines query the index");
  add_index_options(*index);
  add_common_options(*index);
#ifdef TANDEM_LAB_KV
  CLI::App* kv = run->add_subcommand("kv", "Serve a key-value store under requests that are due at fixed times");
  add_kv_options(*kv);
  add_common_options(*kv);
#endif
  CLI::App* trees = run->add_subcommand("binary-trees", "Allocate and drop binary trees, a goroutine for each depth");
  add_binary_trees_options(*trees);
  add_common_options(*trees);
  CLI::App* gcbench = run->add_subcommand("gcbench", "Build trees beside a long-lived tree and array (GCBench)");
  add_gcbench_options(*gcbench, false);
  add_common_options(*gcbench);
  CLI::App* mt_gcbench = run->add_subcommand("mt-gcbench", "The same by several goroutines (MT_GCBench)");
  add_gcbench_options(*mt_gcbench, true);
  add_common_options(*mt_gcbench);
  CLI::App* quads = run->add_subcommand("quads", "Turn and rebuild random parts of quadtrees, a goroutine for each");
  add_quads_options(*quads);
  add_common_options(*quads);
  CLI::App* hyperalloc = run->add_subcommand("hyperalloc", "Allocate at a fixed rate beside a live set of fixed size");
  add_hyperalloc_options(*hyperalloc);
  add_common_options(*hyperalloc);
}

void Parser::add_common_options(CLI::App& command) {
  command.add_option("--repeat", result.repeat, "Counted runs of each variant")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command.add_option("--warmup", result.warm_up, "Runs of each variant before those, not counted")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  command.add_option("--json", result.json_file, "File for the raw figures of every run")->type_name("FILE");
  command
      .add_option("--gap-probes", result.request.gap_probes,
                  "Goroutines that do nothing but record the longest gap in their own progress")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command.add_flag("-v,--verbose", result.request.verbose, "Name skipped files on stderr");
  for (std::size_t i = 0; i < kShortcuts.size(); ++i)
    command.add_option(kShortcuts[i].option, knobs.shortcuts[i], kShortcuts[i].help)
        ->type_name("VALUE[,VALUE...]")
        ->multi_option_policy(CLI::MultiOptionPolicy::Throw)  // two lists: which one is meant?
        ->group("Knobs");
  command.add_option("--set", knobs.set, "Any knob; may be repeated")
      ->type_name("KNOB=VALUE[,VALUE...]")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->group("Knobs");
  command.add_option("--variant", knobs.variants, "One variant by itself, \"defaults\" among them; may be repeated")
      ->type_name("'KNOB=VALUE ...'")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->group("Knobs");
}

void Parser::add_index_options(CLI::App& command) {
  IndexRequest& index = result.request.index;
  // Not required() of CLI11, which would complain of it before it names a misspelt option.
  command.add_option("--input", index.input, "Directory whose files are indexed; required")->type_name("DIR");
  command.add_option("--glob", globs, "Which files: shell patterns on the name, or with a slash on the path below DIR")
      ->type_name("PATTERN[,PATTERN...]");
  command.add_option("--seconds", index.seconds, "The measured part lasts at least so long")
      ->check(CLI::Range(0.0, 86400.0))
      ->capture_default_str();
  command.add_option("--passes", index.passes, "... and indexes the input at least so often, anew each time")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command
      .add_option("--live-mb", index.live_mb,
                  "Keep copies of the index until so much is live, in MiB; 0: only the index itself")
      ->check(CLI::Range(0, 1 << 20))
      ->capture_default_str();
  command
      .add_option("--queries-per-second", index.queries_per_second,
                  "Rate of look-ups, due at fixed times whatever the system does; 0: none")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  command.add_option("--query-goroutines", index.query_goroutines, "Goroutines that share the look-ups")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command.add_option("--readers", index.readers, "Goroutines that read files")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command.add_option("--tokenisers", index.tokenisers, "Goroutines that cut documents into terms")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command.add_option("--shards", index.shards, "Parts of the index, each with an indexer goroutine of its own")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command
      .add_option("--dump-index", index.dump_index,
                  "Write 'term<TAB>documents<TAB>occurrences' of every term, sorted bytewise")
      ->type_name("FILE");
}

void Parser::add_binary_trees_options(CLI::App& command) {
  command.add_option("--depth", result.request.binary_trees.depth, "Depth of the longest-lived tree")
      ->check(CLI::Range(6, 26))
      ->capture_default_str();
}

void Parser::add_gcbench_options(CLI::App& command, bool several_goroutines) {
  GcBenchRequest& gcbench = result.request.gcbench;
  command.add_option("--depth", gcbench.depth, "Depth of the long-lived tree")
      ->check(CLI::Range(4, 24))
      ->capture_default_str();
  if (several_goroutines)
    command.add_option("--goroutines", gcbench.goroutines, "Goroutines that build trees, each all of them")
        ->check(CLI::Range(1, 1024))
        ->capture_default_str();
}

void Parser::add_quads_options(CLI::App& command) {
  QuadsRequest& quads = result.request.quads;
  command.add_option("--depth", quads.depth, "Depth of every quadtree: 4^depth leaves")
      ->check(CLI::Range(1, 13))
      ->capture_default_str();
  command.add_option("--goroutines", quads.goroutines, "Goroutines, each with a tree of its own")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command.add_option("--rounds", quads.rounds, "Sub-trees that every goroutine replaces")
      ->check(CLI::Range(0, 1'000'000'000))
      ->capture_default_str();
  command.add_option("--turns", quads.turns, "Walks between two of those that turn the children on their way")
      ->check(CLI::Range(0, 1'000'000'000))
      ->capture_default_str();
}

void Parser::add_hyperalloc_options(CLI::App& command) {
  HyperAllocRequest& hyperalloc = result.request.hyperalloc;
  command.add_option("--rate", hyperalloc.rate, "MB (10^6 bytes) to allocate per second")
      ->check(CLI::Range(0.1, 1e6))
      ->capture_default_str();
  command.add_option("--live", hyperalloc.live, "MB that stay live")
      ->check(CLI::Range(1.0, 1e6))
      ->capture_default_str();
  command.add_option("--seconds", hyperalloc.seconds, "For how long; longer where the rate is not achieved")
      ->check(CLI::Range(0.001, 86400.0))
      ->capture_default_str();
  command.add_option("--goroutines", hyperalloc.goroutines, "Goroutines that allocate, a share each")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
}

void Parser::add_kv_options(CLI::App& command) {
  KvRequest& kv = result.request.kv;
  command.add_option("--live", kv.live, "MB (10^6 bytes) of values that the store holds")
      ->check(CLI::Range(1.0, 1e6))
      ->capture_default_str();
  command.add_option("--value", kv.value, "Bytes of each value")
      ->check(CLI::Range(24, 1'000'000))
      ->capture_default_str();
  command.add_option("--rate", kv.rate, "Requests per second, due whatever the server does")
      ->check(CLI::Range(1.0, 1e6))
      ->capture_default_str();
  command.add_option("--arrivals", kv.arrivals, "When they are due: constant intervals, or poisson")
      ->check(CLI::IsMember({"constant", "poisson"}))
      ->capture_default_str();
  command.add_option("--connections", kv.connections, "Connections that share the keys")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  command.add_option("--seconds", kv.seconds, "For how long requests are due")
      ->check(CLI::Range(0.001, 86400.0))
      ->capture_default_str();
  command.add_option("--writes", kv.writes, "Share of the requests that replace a value; the others read one")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command.add_option("--seed", kv.seed, "Of keys, writes and arrivals: the same requests at the same times")
      ->check(CLI::Range(1, 1'000'000'000))
      ->capture_default_str();
  command.add_flag(
      "--beside-go", kv.beside_go,
      "Run the same server in Go (bench/peers/go_kv) as well, with each setting of processors and gc_percent");
}

std::vector<KnobValues> Parser::knob_values() const {
  std::vector<KnobValues> values;
  for (std::size_t i = 0; i < kShortcuts.size(); ++i)
    if (!knobs.shortcuts[i].empty())
      values.push_back({kShortcuts[i].knob, split_values(kShortcuts[i].option, knobs.shortcuts[i])});
  for (const std::string& text : knobs.set) values.push_back(parse_knob(text));
  return values;
}

std::vector<Variant> Parser::explicit_variants() const {
  std::vector<Variant> variants;
  for (const std::string& text : knobs.variants) variants.push_back(parse_variant(text));
  return variants;
}

constexpr std::array kWorkloadNames{"index",
#ifdef TANDEM_LAB_KV
                                    "kv",
#endif
                                    "binary-trees", "gcbench", "mt-gcbench", "quads", "hyperalloc"};

// "a, b and c"
std::string workload_names(const char* conjunction) {
  std::string text = kWorkloadNames.front();
  for (std::size_t i = 1; i + 1 < kWorkloadNames.size(); ++i) text += fmt::format(", {}", kWorkloadNames[i]);
  return fmt::format("{} {} {}", text, conjunction, kWorkloadNames.back());
}

// CLI11 says of an unknown word only that it misses a subcommand.
void check_command_words(const std::vector<std::string>& words) {
  if (words.empty()) throw UsageError("say what to do: list, run or help");
  const auto is_option = [&](std::size_t i) { return words[i].starts_with('-'); };
  if (is_option(0) && words[0] != "--help" && words[0] != "-h")
    throw UsageError(fmt::format("'{}' stands before a command; the commands are list, run and help", words[0]));
  if (!is_option(0) && words[0] != "list" && words[0] != "run" && words[0] != "help")
    throw UsageError(fmt::format("unknown command '{}'; the commands are list, run and help", words[0]));
  if (words[0] != "run") return;
  if (words.size() > 1 && (words[1] == "--help" || words[1] == "-h")) return;
  if (words.size() < 2 || is_option(1))
    throw UsageError("run: say which workload, before any options: " + workload_names("or"));
  if (std::find(kWorkloadNames.begin(), kWorkloadNames.end(), words[1]) == kWorkloadNames.end())
    throw UsageError(fmt::format("run: unknown workload '{}'; the workloads are {}", words[1], workload_names("and")));
}

CommandLine help(std::string text) {
  CommandLine result;
  result.help_text = std::move(text);
  return result;
}

std::string help_on_everything(const CLI::App& app) {
  std::string text = app.help();
  const CLI::App* run = app.get_subcommand("run");
  for (const CLI::App* workload : run->get_subcommands({})) text += "\n" + workload->help();
  return text;
}

}  // namespace

CommandLine parse_command_line(std::vector<std::string> arguments) {
  check_command_words(arguments);
  const auto parser = std::make_unique<Parser>();  // options point into it
  CLI::App& app = parser->app;
  try {
    std::reverse(arguments.begin(), arguments.end());  // the order in which CLI11 takes a vector
    app.parse(std::move(arguments));
    CommandLine& result = parser->result;
    if (app.got_subcommand("list")) result.action = Action::list;
    if (app.got_subcommand("help")) result.help_text = help_on_everything(app);
    if (!app.got_subcommand("run")) return std::move(result);

    result.action = Action::run;
    result.request.workload = app.get_subcommand("run")->get_subcommands().front()->get_name();
    if (result.request.workload == "index" && result.request.index.input.empty())
      throw UsageError("--input is required: the directory whose files are indexed");
    if (!parser->globs.empty()) result.request.index.globs = split_values("--glob", parser->globs);
    result.variants = with_each(all_variants(parser->knob_values()), parser->explicit_variants());
    if (result.request.kv.beside_go) result.variants = with_go_twins(std::move(result.variants));
    return std::move(result);
  } catch (const CLI::CallForAllHelp&) {
    return help(help_on_everything(app));
  } catch (const CLI::CallForHelp&) {
    return help(app.help());
  } catch (const CLI::ParseError& error) {
    throw UsageError(fmt::format("{} (see: tandem-lab help)", error.what()));
  } catch (const std::invalid_argument& error) {
    throw UsageError(error.what());
  }
}

}  // namespace lab
