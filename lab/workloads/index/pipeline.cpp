#include "lab/workloads/index/pipeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "lab/workloads/index/directory.h"
#include "lab/workloads/index/document_file.h"
#include "lab/workloads/index/glob.h"
#include "lab/workloads/index/messages.h"
#include "lab/workloads/index/tokenise.h"

namespace lab::index {
namespace {

using tandem::Channel;
using tandem::Local;
using tandem::Member;
using tandem::String;

constexpr std::size_t kPathsBuffered = 64;
constexpr std::size_t kDocumentsBuffered = 16;  // these keep whole files alive
constexpr std::size_t kBatchesBuffered = 64;
constexpr std::size_t kTermsPerPoll = 256;  // about 10 µs of counting
constexpr std::size_t kTermsPerLock = 32;   // about 10 µs of merging, for which a query has to wait

// What all goroutines of a pass share. It outlives them: index_input() waits.
struct Pass {
  const IndexRequest& request;
  PassCounters& counters;
  bool name_skipped;

  void skip(std::atomic<std::uint64_t>& counter, const std::string& path, std::string_view reason) const {
    counter.fetch_add(1, std::memory_order_relaxed);
    if (name_skipped) fmt::print(stderr, "tandem-lab: skipped {}: {}\n", path, reason);
  }
};

// Tells the last of a stage's goroutines that it is the last.
class Countdown {
 public:
  explicit Countdown(int goroutines) : left_(goroutines) {}
  bool is_last() { return left_.fetch_sub(1, std::memory_order_relaxed) == 1; }  // the channels order the rest

 private:
  std::atomic<int> left_;
};

// -- Walker
// ----------------------------------------------------------------------------------------------------

void walk(const Pass& pass, const Local<Channel<std::string>>& paths) {
  const Glob glob(pass.request.globs);
  std::vector<std::string> pending{""};  // directories, relative to the input, with a slash behind them
  while (!pending.empty()) {
    const std::string directory = std::move(pending.back());
    pending.pop_back();
    const std::string absolute = pass.request.input + "/" + directory;
    const DirectoryListing listing = tandem::blocking([&] { return list_directory(absolute); });
    if (listing.error) pass.skip(pass.counters.unreadable_files, absolute, listing.error.message());
    for (const std::string& name : listing.files)
      if (glob.matches(directory + name)) paths->send(absolute + name);
    for (const std::string& name : listing.directories) pending.push_back(directory + name + "/");
  }
}

// -- Readers
// ---------------------------------------------------------------------------------------------------

void read_documents(const Pass& pass, const Local<Channel<std::string>>& paths,
                    const Local<DocumentChannel>& documents) {
  for (const std::string path : *paths) {
    const DocumentFile file = tandem::blocking([&] { return read_document(path); });
    if (file.kind == FileKind::binary) pass.skip(pass.counters.binary_files, path, "binary");
    if (file.kind == FileKind::unreadable) pass.skip(pass.counters.unreadable_files, path, file.reason);
    if (file.kind != FileKind::text) continue;
    Local<Document> document = tandem::make<Document>();
    document->id = pass.counters.documents.fetch_add(1, std::memory_order_relaxed);
    document->text = tandem::make_string(file.contents);
    pass.counters.document_bytes.fetch_add(file.contents.size(), std::memory_order_relaxed);
    documents->send(document);
  }
}

// -- Tokenisers
// ------------------------------------------------------------------------------------------------

using TermCounts = std::unordered_map<std::string_view, std::uint32_t>;  // the views point into a document's text

TermCounts count_terms(std::string_view text) {
  TermCounts counts;
  std::size_t until_poll = kTermsPerPoll;
  tokenise(text, [&](std::string_view term) {
    ++counts[term];
    if (--until_poll > 0) return;
    tandem::safepoint();  // neither tokenise() nor the map ever allocates managed memory
    until_poll = kTermsPerPoll;
  });
  return counts;
}

using ShardTerms = std::vector<std::pair<std::string_view, std::uint32_t>>;

std::vector<ShardTerms> by_shard(const TermCounts& counts, const Generation& target) {
  std::vector<ShardTerms> shards(target.shard_count());
  for (const auto& [term, count] : counts) shards[target.shard_of(term)].emplace_back(term, count);
  return shards;
}

Local<TermBatch> make_batch(std::uint32_t document, const ShardTerms& terms) {
  Local<TermBatch> batch = tandem::make<TermBatch>();
  batch->document = document;
  batch->terms = tandem::make_array<Member<String>>(terms.size());
  batch->occurrences = tandem::make_array<std::uint32_t>(terms.size());
  for (std::size_t i = 0; i < terms.size(); ++i) {
    (*batch->terms)[i] = tandem::make_string(terms[i].first);
    (*batch->occurrences)[i] = terms[i].second;
  }
  return batch;
}

void tokenise_documents(const Local<DocumentChannel>& documents, const Local<BatchChannels>& batches,
                        const Local<Generation>& target) {
  for (const Local<Document> document : *documents) {
    const Local<String> text = document->text;  // keeps alive what the views point into
    const auto shards = by_shard(count_terms(text->view()), *target);
    for (std::size_t i = 0; i < shards.size(); ++i)
      if (!shards[i].empty()) (*batches)[i]->send(make_batch(document->id, shards[i]));
  }
}

// -- Indexers
// --------------------------------------------------------------------------------------------------

void merge_batches(const Local<BatchChannel>& batches, const Local<Shard>& shard) {
  for (const Local<TermBatch> batch : *batches) {
    const Local<tandem::Array<Member<String>>> terms = batch->terms;
    const Local<tandem::Array<std::uint32_t>> occurrences = batch->occurrences;
    const Local<InvertedIndex> index = shard->index;
    for (std::size_t begin = 0; begin < terms->size(); begin += kTermsPerLock) {
      const std::size_t end = std::min(begin + kTermsPerLock, terms->size());
      const std::lock_guard guard(shard->lock);
      for (std::size_t i = begin; i < end; ++i) index->add((*terms)[i], {batch->document, (*occurrences)[i]});
    }
  }
}

Local<BatchChannels> make_batch_channels(std::size_t shards) {
  auto channels = tandem::make_array<Member<BatchChannel>>(shards);
  for (std::size_t i = 0; i < shards; ++i) (*channels)[i] = tandem::make_channel<Member<TermBatch>>(kBatchesBuffered);
  return channels;
}

}  // namespace

void index_input(const IndexRequest& request, const Local<Generation>& target, PassCounters& counters,
                 bool name_skipped) {
  counters.reset();
  const Pass pass{request, counters, name_skipped};
  const auto paths = tandem::make_channel<std::string>(kPathsBuffered);
  const auto documents = tandem::make_channel<Member<Document>>(kDocumentsBuffered);
  const auto batches = make_batch_channels(target->shard_count());
  Countdown readers(request.readers);
  Countdown tokenisers(request.tokenisers);

  tandem::TaskGroup group;
  group.go([&pass, paths] {
    walk(pass, paths);
    paths->close();
  });
  for (int i = 0; i < request.readers; ++i)
    group.go([&pass, &readers, paths, documents] {
      read_documents(pass, paths, documents);
      if (readers.is_last()) documents->close();
    });
  for (int i = 0; i < request.tokenisers; ++i)
    group.go([&tokenisers, documents, batches, target] {
      tokenise_documents(documents, batches, target);
      if (!tokenisers.is_last()) return;
      for (std::size_t shard = 0; shard < batches->size(); ++shard) (*batches)[shard]->close();
    });
  for (std::size_t i = 0; i < target->shard_count(); ++i)
    group.go([i, batches, target] { merge_batches((*batches)[i], target->shard(i)); });
  group.wait();
}

}  // namespace lab::index
