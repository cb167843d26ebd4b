#include "lab/workloads/index/posting_list.h"

namespace lab::index {
namespace {

constexpr std::size_t kFirstCapacity = 2;  // half of all terms occur in one or two documents

tandem::Local<tandem::Array<Posting>> grown(const tandem::Array<Posting>& from, std::size_t size,
                                            std::size_t capacity) {
  auto to = tandem::make_array<Posting>(capacity);
  for (std::size_t i = 0; i < size; ++i) (*to)[i] = from[i];
  return to;
}

}  // namespace

PostingList::PostingList() : postings_(tandem::make_array<Posting>(kFirstCapacity)) {}

void PostingList::add(Posting posting) {
  if (size_ == postings_->size()) postings_ = grown(*postings_.get(), size_, 2 * size_);
  (*postings_)[size_] = posting;
  ++size_;
}

std::uint64_t PostingList::occurrences() const {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < size_; ++i) sum += (*postings_)[i].occurrences;
  return sum;
}

tandem::Local<PostingList> PostingList::copy() const {
  auto other = tandem::make<PostingList>();
  other->postings_ = grown(*postings_.get(), size_, postings_->size());
  other->size_ = size_;
  return other;
}

}  // namespace lab::index
