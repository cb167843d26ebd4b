#pragma once
// One pass over the input: goroutines that read values from a channel, hand them to business logic, and write
// the results to the next channel.
//
//   walker --paths--> readers --documents--> tokenisers --batches--> indexers --> Generation
//                                                       (a channel and an indexer for each shard)
//
// The last goroutine of a stage to end closes the channel behind it, which ends the next stage.
#include <tandem/tandem.h>

#include <atomic>
#include <cstdint>

#include "lab/run_request.h"
#include "lab/workloads/index/generation.h"

namespace lab::index {

// Counted while a pass runs, from 0. Relaxed: they order nothing, and whoever needs exact values has waited
// for the pass.
struct PassCounters {
  std::atomic<std::uint32_t> documents{0};
  std::atomic<std::uint64_t> document_bytes{0};
  std::atomic<std::uint64_t> binary_files{0};      // skipped
  std::atomic<std::uint64_t> unreadable_files{0};  // skipped; directories that cannot be listed among them

  // Between passes.
  void reset() {
    documents.store(0, std::memory_order_relaxed);
    document_bytes.store(0, std::memory_order_relaxed);
    binary_files.store(0, std::memory_order_relaxed);
    unreadable_files.store(0, std::memory_order_relaxed);
  }
};

// Resets the counters, then adds every document of the request's input to `target`, whose shards are locked
// bit by bit, so that it can be queried meanwhile. Blocks until all is added. `name_skipped`: write skipped
// files' names to stderr. An exception in a goroutine of the pipeline ends all of them and is rethrown here.
void index_input(const IndexRequest& request, const tandem::Local<Generation>& target, PassCounters& counters,
                 bool name_skipped);

}  // namespace lab::index
