#pragma once
// What a key of the store has: a string or a list, and perhaps a time at which it ends.
#include <tandem/tandem.h>
#include <chrono>
#include <cstddef>

namespace kv {

using TimePoint = std::chrono::steady_clock::time_point;
using StringRef = tandem::Member<tandem::String>;

/// Strings that can be added and removed at both ends, and be reached by their index: a ring that doubles when it is
/// full.
class List {
 public:
  List() : ring_(tandem::make_array<StringRef>(kCapacityMin)) {}
  void trace(tandem::Visitor& visit) const { visit(ring_); }

  std::size_t size() const { return size_; }
  tandem::Local<tandem::String> operator[](std::size_t index) const { return slot(index).get(); }

  void push_front(const tandem::Local<tandem::String>& string) {
    if (size_ == ring_->size()) grow();
    first_ = (first_ + ring_->size() - 1) % ring_->size();
    ++size_;
    slot(0) = string;
  }
  void push_back(const tandem::Local<tandem::String>& string) {
    if (size_ == ring_->size()) grow();
    slot(size_++) = string;
  }
  /// Of a list that is not empty.
  tandem::Local<tandem::String> pop_front() {
    tandem::Local<tandem::String> string = slot(0);
    slot(0) = nullptr;
    first_ = (first_ + 1) % ring_->size();
    --size_;
    return string;
  }
  tandem::Local<tandem::String> pop_back() {
    tandem::Local<tandem::String> string = slot(size_ - 1);
    slot(--size_) = nullptr;
    return string;
  }

 private:
  static constexpr std::size_t kCapacityMin = 4;

  StringRef& slot(std::size_t index) const {
    const tandem::Array<StringRef>& ring = *ring_;
    return ring[(first_ + index) % ring.size()];
  }
  void grow() {
    const tandem::Local<tandem::Array<StringRef>> larger = tandem::make_array<StringRef>(2 * ring_->size());
    for (std::size_t index = 0; index < size_; ++index) (*larger)[index] = slot(index);
    ring_ = larger;
    first_ = 0;
  }

  tandem::Member<tandem::Array<StringRef>> ring_;
  std::size_t first_ = 0, size_ = 0;
};

/// When a key ends, and the timer that takes it out then.
struct Expiry {
  TimePoint time;
  tandem::Timer timer;
};

/// Exactly one of `string` and `list` is not null.
struct Value {
  StringRef string;
  tandem::Member<List> list;
  tandem::Member<Expiry> expiry;  // null: the key stays
  void trace(tandem::Visitor& visit) const { visit(string), visit(list), visit(expiry); }
};

}  // namespace kv
