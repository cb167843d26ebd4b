#pragma once
// Business logic: from terms to the documents that contain them. Managed; knows nothing of goroutines.
#include <tandem/tandem.h>

#include <cstddef>
#include <cstdint>
#include <utility>

#include "lab/workloads/index/posting_list.h"

namespace lab::index {

// Not synchronised: whoever adds must keep others out.
class InvertedIndex {
 public:
  InvertedIndex();

  void add(const tandem::Local<tandem::String>& term, Posting posting);

  // Null if no document contains the term.
  tandem::Local<PostingList> find(const tandem::Local<tandem::String>& term) const;

  std::size_t terms() const { return postings_->size(); }

  // Calls use(const Local<String>&, const Local<PostingList>&) for every term, in no particular order.
  template <typename Use>
  void for_each(Use use) const {
    for (auto [term, list] : *postings_) use(term, list);
  }

  // Shares nothing with this one, not even the terms.
  tandem::Local<InvertedIndex> copy() const;

  void trace(tandem::Visitor& visit) const { visit(postings_); }

 private:
  using Map = tandem::Map<tandem::Member<tandem::String>, tandem::Member<PostingList>>;
  tandem::Member<Map> postings_;
};

}  // namespace lab::index
