#include "lab/workloads/index/index_workload.h"

#include <tandem/tandem.h>
#include <dirent.h>
#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>

#include "lab/command_line.h"
#include "lab/gap_probes.h"
#include "lab/runtime_statistics.h"
#include "lab/units.h"
#include "lab/workloads/index/ballast.h"
#include "lab/workloads/index/dump.h"
#include "lab/workloads/index/index_progress.h"
#include "lab/workloads/index/pipeline.h"
#include "lab/workloads/index/queries.h"

namespace lab::index {
namespace {

using tandem::Local;
using Clock = std::chrono::steady_clock;

// What one pass found, and how long it took.
struct PassResult {
  std::uint64_t documents = 0;
  std::uint64_t bytes = 0;
  std::uint64_t binary_files = 0;
  std::uint64_t unreadable_files = 0;
  IndexTotals totals;
  double seconds = 0;
};

// The run's parts that every pass uses.
struct Indexer {
  const IndexRequest& request;
  const Local<Service>& service;
  PassCounters counters = {};

  // Builds a new index of the input, which queries see from its first document on.
  PassResult pass(bool name_skipped) {
    const Local<Generation> target = tandem::make<Generation>(static_cast<std::size_t>(request.shards));
    service->current = target;
    const auto start = Clock::now();
    index_input(request, target, counters, name_skipped);
    const std::chrono::duration<double> wall = Clock::now() - start;
    return {.documents = counters.documents,
            .bytes = counters.document_bytes,
            .binary_files = counters.binary_files,
            .unreadable_files = counters.unreadable_files,
            .totals = target->totals(),
            .seconds = wall.count()};
  }
};

// Every pass reads the same files, hence builds the same index: if not, the runtime has lost or damaged
// something. Unless the files have changed meanwhile, which their number or size would nearly always show.
void check_same(const PassResult& first, const PassResult& later, int number) {
  if (first.documents != later.documents || first.bytes != later.bytes) return;
  if (first.totals == later.totals) return;
  throw std::runtime_error(
      fmt::format("wrong result: pass {} over the same {} documents gave another index than the first: {} "
                  "terms, {} postings, {} "
                  "occurrences, checksum {:x}; expected {}, {}, {}, {:x}",
                  number, first.documents, later.totals.terms, later.totals.postings, later.totals.occurrences,
                  later.totals.checksum, first.totals.terms, first.totals.postings, first.totals.occurrences,
                  first.totals.checksum));
}

struct Measured {
  int passes = 0;
  std::uint64_t documents = 0;
  std::uint64_t bytes = 0;
  double seconds = 0;  // in passes; checking their results in between does not count
};

Measured measured_passes(Indexer& indexer, const PassResult& first, IndexProgress& progress) {
  Measured measured;
  const auto start = Clock::now();
  const std::chrono::duration<double> seconds_min(indexer.request.seconds);
  while (measured.passes < indexer.request.passes || Clock::now() - start < seconds_min) {
    progress.set_phase(fmt::format("pass {}", measured.passes + 1));
    const PassResult pass = indexer.pass(false);
    check_same(first, pass, measured.passes + 2);
    measured.passes += 1;
    measured.documents += pass.documents;
    measured.bytes += pass.bytes;
    measured.seconds += pass.seconds;
  }
  return measured;
}

void add_query_metrics(nlohmann::json& metrics, const QueryResults& queries) {
  metrics["queries"] = queries.latency.count();
  metrics["queries_found"] = queries.found;
  metrics["queries_checksum"] = queries.checksum;
  if (queries.latency.count() == 0) return;
  metrics["query_latency_p50_ns"] = queries.latency.percentile(0.50);
  metrics["query_latency_p99_ns"] = queries.latency.percentile(0.99);
  metrics["query_latency_p999_ns"] = queries.latency.percentile(0.999);
  metrics["query_latency_max_ns"] = queries.latency.max();
}

void add_pass_metrics(nlohmann::json& metrics, const Measured& measured, const IndexTotals& totals) {
  metrics["passes"] = measured.passes;
  metrics["passes_seconds"] = measured.seconds;
  metrics["documents_per_second"] = static_cast<double>(measured.documents) / measured.seconds;
  metrics["bytes_per_second"] = static_cast<double>(measured.bytes) / measured.seconds;
  metrics["terms"] = totals.terms;
  metrics["postings"] = totals.postings;
  metrics["occurrences"] = totals.occurrences;
}

std::string input_text(const IndexRequest& request, const PassResult& pass) {
  return fmt::format("{}: {} documents, {}, {} terms; skipped {} binary and {} unreadable files", request.input,
                     pass.documents, format_value(static_cast<double>(pass.bytes), Unit::bytes), pass.totals.terms,
                     pass.binary_files, pass.unreadable_files);
}

}  // namespace

void check_index(const RunRequest& request) {
  const std::string& input = request.index.input;
  DIR* directory = opendir(input.c_str());
  if (directory == nullptr)
    throw UsageError(
        fmt::format("--input: cannot read '{}': {}; give a directory that you may read", input, std::strerror(errno)));
  closedir(directory);
}

nlohmann::json run_index(const RunRequest& request, const ParentPipe& parent) {
  const IndexRequest& index = request.index;
  const Local<Service> service = tandem::make<Service>();
  Indexer indexer{index, service};
  IndexProgress progress(parent, indexer.counters, request.progress);

  // The first pass is not measured: it brings the files into the page cache, tells queries what to ask for,
  // and is what later passes are compared with.
  const PassResult first = indexer.pass(request.verbose);
  if (first.documents == 0)
    throw UsageError(fmt::format("--input: '{}' has no text files that --glob matches ({} binary, {} unreadable)",
                                 index.input, first.binary_files, first.unreadable_files));
  progress.set_phase("making the heap as large as asked for");
  const Local<Vocabulary> vocabulary = choose_vocabulary(*service->current);
  const Local<Ballast> ballast = make_ballast(service->current, index.live_mb << 20);
  tandem::collect();

  nlohmann::json metrics = nlohmann::json::object();
  GapProbes probes(request.gap_probes);
  QueryLoad queries(index, service, vocabulary);
  const RuntimeInterval interval;
  const Measured measured = measured_passes(indexer, first, progress);
  interval.finish(metrics);
  add_query_metrics(metrics, queries.finish());
  probes.finish(metrics);

  add_pass_metrics(metrics, measured, first.totals);
  metrics["live_bytes"] = live_bytes_now();
  if (!index.dump_index.empty()) dump_index(*service->current, index.dump_index);
  return {{"metrics", metrics},
          {"input_text", input_text(index, first)},
          {"input",
           {{"directory", index.input},
            {"documents", first.documents},
            {"bytes", first.bytes},
            {"binary_files", first.binary_files},
            {"unreadable_files", first.unreadable_files}}}};
}

}  // namespace lab::index
