#include "lab/workloads/index/generation.h"

#include <functional>

namespace lab::index {

using tandem::Local;
using tandem::Member;

Generation::Generation(std::size_t shards) : shards_(tandem::make_array<Member<Shard>>(shards)) {
  for (std::size_t i = 0; i < shards; ++i) (*shards_)[i] = tandem::make<Shard>();
}

std::size_t Generation::shard_of(std::string_view term) const {
  return std::hash<std::string_view>()(term) % shard_count();
}

IndexTotals Generation::totals() const {
  IndexTotals totals;
  for_each([&](const Local<tandem::String>& term, const Local<PostingList>& list) {
    const std::uint64_t occurrences = list->occurrences();
    totals.terms += 1;
    totals.postings += list->size();
    totals.occurrences += occurrences;
    totals.checksum += std::hash<std::string_view>()(term->view()) * occurrences;
  });
  return totals;
}

Local<Generation> Generation::copy() const {
  Local<Generation> other = tandem::make<Generation>(shard_count());
  for (std::size_t i = 0; i < shard_count(); ++i) other->shard(i)->index = shard(i)->index->copy();
  return other;
}

}  // namespace lab::index
