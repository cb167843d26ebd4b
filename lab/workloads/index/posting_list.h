#pragma once
// Business logic: the documents in which a term occurs. Managed; knows nothing of goroutines.
#include <tandem/tandem.h>

#include <cstddef>
#include <cstdint>

namespace lab::index {

struct Posting {
  std::uint32_t document;
  std::uint32_t occurrences;
};

// Not synchronised: whoever adds must keep others out.
class PostingList {
 public:
  PostingList();

  // Each document at most once; order is up to the caller.
  void add(Posting posting);

  std::size_t size() const { return size_; }
  Posting operator[](std::size_t i) const { return (*postings_)[i]; }

  // Of the term in all documents.
  std::uint64_t occurrences() const;

  tandem::Local<PostingList> copy() const;

  void trace(tandem::Visitor& visit) const { visit(postings_); }

 private:
  tandem::Member<tandem::Array<Posting>> postings_;  // doubled when full; only the first size_ are in use
  std::uint32_t size_ = 0;
};

}  // namespace lab::index
