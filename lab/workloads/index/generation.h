#pragma once
// One index over the whole input, in shards that are written and read independently.
#include <tandem/tandem.h>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>

#include "lab/workloads/index/inverted_index.h"

namespace lab::index {

struct Shard {
  tandem::Member<InvertedIndex> index = tandem::make<InvertedIndex>();
  mutable tandem::Mutex lock;  // around every use of `index`

  void trace(tandem::Visitor& visit) const { visit(index); }
};

// What an index contains. The checksum does not depend on the order in which documents were read, hence not
// on the numbers they got: it is the sum of hash(term) * occurrences over all postings.
struct IndexTotals {
  std::uint64_t terms = 0;
  std::uint64_t postings = 0;
  std::uint64_t occurrences = 0;
  std::uint64_t checksum = 0;

  bool operator==(const IndexTotals&) const = default;
};

class Generation {
 public:
  explicit Generation(std::size_t shards);

  std::size_t shard_count() const { return shards_->size(); }
  std::size_t shard_of(std::string_view term) const;
  tandem::Local<Shard> shard(std::size_t i) const { return (*shards_)[i]; }

  // Calls use(term, list) for every term of every shard. Only while nobody adds.
  template <typename Use>
  void for_each(Use use) const {
    for (std::size_t i = 0; i < shard_count(); ++i) {
      shard(i)->index->for_each([&](const auto& term, const auto& list) { use(term, list); });
    }
  }

  IndexTotals totals() const;
  tandem::Local<Generation> copy() const;

  void trace(tandem::Visitor& visit) const { visit(shards_); }

 private:
  tandem::Member<tandem::Array<tandem::Member<Shard>>> shards_;
};

}  // namespace lab::index
