#pragma once
/// \file
/// Array<T>: a managed array of fixed size.

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <new>
#include <span>
#include <type_traits>

#include "tandem/detail/allocate.h"
#include "tandem/local.h"
#include "tandem/visitor.h"

namespace tandem {

template <class T>
class Array;
template <class T>
[[nodiscard]] Local<Array<T>> make_array(std::size_t size);

/// `size()` elements of type T on the managed heap: leaves, Members, or types with trace(). Made by make_array. Elements are
/// value-initialised. Indexing is not checked in release builds. Elements that are Members read as Locals.
template <class T>
class Array {
  static_assert(detail::Managed<T>,
                "Array elements are leaves, Member<U>, or types with `void trace(tandem::Visitor&) const`");

 public:
  using value_type = T;

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  T& operator[](std::size_t index) const noexcept { return data()[index]; }
  T* data() const noexcept { return reinterpret_cast<T*>(reinterpret_cast<std::uintptr_t>(this) + kHeaderBytes); }

  /// The elements of a leaf array as a span; valid while the array is reachable.
  std::span<T> span() const noexcept
    requires detail::kIsLeaf<T>
  {
    return {data(), size_};
  }
  operator std::span<T>() const noexcept
    requires detail::kIsLeaf<T>
  {
    return span();
  }

  /// Iterators hold a Local to the array (a range-for drops the temporary it was called on). Members read as Locals.
  class Iterator;
  Iterator begin() const { return Iterator(local_from(const_cast<Array*>(this)), 0); }
  Iterator end() const { return Iterator(local_from(const_cast<Array*>(this)), size_); }

 private:
  template <class U>
  friend Local<Array<U>> make_array(std::size_t size);

  static constexpr std::size_t kHeaderBytes = alignof(T) > sizeof(std::size_t) ? alignof(T) : sizeof(std::size_t);
  static_assert(alignof(T) <= detail::kCellAlignment, "Array elements are aligned to at most 16 bytes");

  static detail::PatternNumber pattern() {
    if constexpr (detail::kIsLeaf<T> && std::is_trivially_destructible_v<T>) {
      return detail::kLeafPattern;
    } else {
      static const detail::PatternNumber number = [] {
        const std::vector<std::uint32_t> offsets = detail::reference_offsets<T>();
        return detail::register_pattern({offsets.data(), static_cast<std::uint32_t>(offsets.size()), kHeaderBytes,
                                         sizeof(T), std::is_trivially_destructible_v<T> ? nullptr : &destroy});
      }();
      return number;
    }
  }
  static void destroy(void* cell) noexcept {
    auto* array = static_cast<Array*>(cell);
    for (std::size_t i = array->size_; i-- > 0;) array->data()[i].~T();
  }

  std::size_t size_;
};

template <class T>
class Array<T>::Iterator {
 public:
  using difference_type = std::ptrdiff_t;
  using value_type = T;
  using iterator_category = std::input_iterator_tag;

  Iterator() = default;
  Iterator(Local<Array> array, std::size_t index) : array_(array), index_(index) {}
  decltype(auto) operator*() const {
    if constexpr (detail::IsMember<T>::value)
      return (*array_)[index_].get();
    else
      return (*array_)[index_];
  }
  Iterator& operator++() {
    ++index_;
    return *this;
  }
  void operator++(int) { ++index_; }
  friend bool operator==(const Iterator& a, const Iterator& b) { return a.index_ == b.index_; }

 private:
  Local<Array> array_;
  std::size_t index_ = 0;
};

/// A new array of `size` value-initialised elements. A safepoint; on a goroutine only. Throws std::bad_alloc past
/// Options::memory_limit after a full collection, or when the size overflows.
template <class T>
Local<Array<T>> make_array(std::size_t size) {
  using A = Array<T>;
  if (size > (std::size_t{1} << 46) / sizeof(T)) throw std::bad_array_new_length();
  const std::size_t bytes = A::kHeaderBytes + size * sizeof(T);
  const detail::PatternNumber pattern = A::pattern();
  Local<A> root = Local<A>::loaded([&] {
    if (bytes > detail::kLargestCellBytes) return static_cast<A*>(detail::allocate_large(pattern, bytes));  // zeroed
    const std::uint32_t size_class = detail::size_class_lookup(bytes);
    const std::size_t cell_bytes = detail::kCellBytes[size_class];
    void* const cell = detail::allocate_cell(pattern * detail::kSizeClasses + size_class, cell_bytes);
    // The whole cell where the collector reads it: it takes elements up to the end of the cell.
    std::memset(cell, 0, detail::kIsLeaf<T> ? bytes : cell_bytes);
    return static_cast<A*>(cell);
  });
  root->size_ = size;
  if constexpr (!std::is_trivially_default_constructible_v<T> && !detail::IsMember<T>::value)
    for (std::size_t i = 0; i < size; ++i) ::new (root->data() + i) T();
  if constexpr (!std::is_trivially_destructible_v<T>) detail::mark_constructed(root.raw(), &A::destroy);
  return root;
}

}  // namespace tandem
