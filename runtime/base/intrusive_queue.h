// A singly linked FIFO through the elements' own member `next`.
//
// Owns nothing, allocates nothing, synchronises nothing: the owner or the lock that guards it does. An
// element is on at most one such list at a time; `next` of an element that is on none is null, which push
// checks in debug builds (except for the last of another list, whose next is null too).
#pragma once

#include <cstddef>

#include "runtime/base/assert.h"

namespace tandem::base {

template <typename T>
class IntrusiveQueue {
 public:
  IntrusiveQueue() noexcept = default;
  IntrusiveQueue(const IntrusiveQueue&) = delete;
  IntrusiveQueue& operator=(const IntrusiveQueue&) = delete;
  IntrusiveQueue(IntrusiveQueue&& other) noexcept { append(other); }

  bool empty() const noexcept { return head_ == nullptr; }
  std::size_t size() const noexcept { return size_; }
  T* front() const noexcept { return head_; }

  void push_back(T* element) noexcept {
    TANDEM_ASSERT(element != nullptr && element->next == nullptr && element != tail_);
    if (tail_ != nullptr) {
      tail_->next = element;
    } else {
      head_ = element;
    }
    tail_ = element;
    ++size_;
  }

  void push_front(T* element) noexcept {
    TANDEM_ASSERT(element != nullptr && element->next == nullptr && element != tail_);
    element->next = head_;
    head_ = element;
    if (tail_ == nullptr) tail_ = element;
    ++size_;
  }

  // Null when empty.
  T* pop_front() noexcept {
    T* element = head_;
    if (element == nullptr) return nullptr;
    head_ = element->next;
    if (head_ == nullptr) tail_ = nullptr;
    element->next = nullptr;
    --size_;
    return element;
  }

  // Linear. False when the element is not on this list.
  bool remove(T* element) noexcept {
    T* previous = nullptr;
    for (T* current = head_; current != nullptr; previous = current, current = current->next) {
      if (current != element) continue;
      (previous == nullptr ? head_ : previous->next) = current->next;
      if (tail_ == current) tail_ = previous;
      current->next = nullptr;
      --size_;
      return true;
    }
    return false;
  }

  // Moves all of `other` to the end of this one, in order; constant time.
  void append(IntrusiveQueue& other) noexcept {
    TANDEM_ASSERT(this != &other);
    if (other.head_ == nullptr) return;
    (tail_ == nullptr ? head_ : tail_->next) = other.head_;
    tail_ = other.tail_;
    size_ += other.size_;
    other.head_ = other.tail_ = nullptr;
    other.size_ = 0;
  }

  // Calls f(element) in order; f may not change the list.
  template <typename F>
  void for_each(F&& f) const {
    for (T* element = head_; element != nullptr; element = element->next) f(element);
  }

 private:
  T* head_ = nullptr;
  T* tail_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace tandem::base
