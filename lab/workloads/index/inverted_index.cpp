#include "lab/workloads/index/inverted_index.h"

namespace lab::index {

using tandem::Local;
using tandem::Member;
using tandem::String;

InvertedIndex::InvertedIndex() : postings_(tandem::make_map<Member<String>, Member<PostingList>>()) {}

void InvertedIndex::add(const Local<String>& term, Posting posting) {
  Local<PostingList> list = find(term);
  if (!list) {
    list = tandem::make<PostingList>();
    postings_->insert(term, list);
  }
  list->add(posting);
}

Local<PostingList> InvertedIndex::find(const Local<String>& term) const {
  const auto found = postings_->find(term);
  return found ? *found : Local<PostingList>();
}

Local<InvertedIndex> InvertedIndex::copy() const {
  Local<InvertedIndex> other = tandem::make<InvertedIndex>();
  for_each([&](const Local<String>& term, const Local<PostingList>& list) {
    other->postings_->insert(tandem::make_string(term->view()), list->copy());
  });
  return other;
}

}  // namespace lab::index
