#pragma once
// The query load: goroutines that look terms up in the index that is being built, at a constant rate.
#include <tandem/tandem.h>

#include <chrono>
#include <cstdint>
#include <vector>

#include "lab/latency_histogram.h"
#include "lab/open_loop.h"
#include "lab/run_request.h"
#include "lab/workloads/index/generation.h"
#include "lab/workloads/index/vocabulary.h"

namespace lab::index {

// Where queries find the index. The indexing side stores a new generation while queries read it: Members
// allow that.
struct Service {
  tandem::Member<Generation> current;

  void trace(tandem::Visitor& visit) const { visit(current); }
};

struct QueryResults {
  LatencyHistogram latency;    // from the moment each query was due
  std::uint64_t found = 0;     // queries whose term was there
  std::uint64_t checksum = 0;  // of what they read, so that reading cannot be optimised away
};

class QueryLoad {
 public:
  // Starts the goroutines at once; none for a rate of 0 or an empty vocabulary. Lives on a goroutine's stack.
  QueryLoad(const IndexRequest& request, const tandem::Local<Service>& service,
            const tandem::Local<Vocabulary>& vocabulary);

  // No query is due from now on. Blocks until those that were due have been carried out.
  QueryResults finish();

 private:
  void ask(std::size_t goroutine, LoadEnd::TimePoint start, std::chrono::nanoseconds interval,
           const tandem::Local<Service>& service, const tandem::Local<Vocabulary>& vocabulary);

  std::vector<QueryResults> results_;  // one for each goroutine
  LoadEnd end_;
  tandem::TaskGroup group_;  // last, so that the goroutines end before what they use
};

}  // namespace lab::index
