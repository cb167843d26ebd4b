#pragma once
// What the stages of the pipeline send one another. Paths travel as std::string.
#include <tandem/tandem.h>

#include <cstdint>

namespace lab::index {

// From a reader to the tokenisers: a file's contents.
struct Document {
  std::uint32_t id = 0;
  tandem::Member<tandem::String> text;

  void trace(tandem::Visitor& visit) const { visit(text); }
};

// From a tokeniser to the indexer of one shard: the distinct terms of one document that belong there, and how
// often each occurs.
struct TermBatch {
  std::uint32_t document = 0;
  tandem::Member<tandem::Array<tandem::Member<tandem::String>>> terms;
  tandem::Member<tandem::Array<std::uint32_t>> occurrences;  // of the term at the same place

  void trace(tandem::Visitor& visit) const {
    visit(terms);
    visit(occurrences);
  }
};

using DocumentChannel = tandem::Channel<tandem::Member<Document>>;
using BatchChannel = tandem::Channel<tandem::Member<TermBatch>>;
using BatchChannels = tandem::Array<tandem::Member<BatchChannel>>;  // one for each shard

}  // namespace lab::index
