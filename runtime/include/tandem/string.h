#pragma once
/// \file
/// String: an immutable string of bytes on the managed heap.
///
/// \code
///   tandem::Local<tandem::String> name = tandem::make_string("goroutine");
///   std::printf("%.*s\n", int(name->size()), name->view().data());
///   if (*name == "goroutine" && *name < *other) ...   // by content; `name == other` asks for the same object, as Locals do
/// \endcode

#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <new>
#include <string_view>

#include "tandem/detail/allocate.h"
#include "tandem/local.h"
#include "tandem/visitor.h"

namespace tandem {

class String;
[[nodiscard]] Local<String> make_string(std::string_view view);

/// Bytes of any value (zeros too), no terminating zero, never changed after make_string; so any number of goroutines may
/// read it at once. Held by Local<String>, Member<String>, Persistent<String>. Comparison is by content, of unsigned bytes.
/// std::hash<String> hashes the content as std::hash<std::string_view> does; it is not stored, so that a string of 8 bytes
/// takes a cell of 16. A Local or Member compares and hashes by identity; as a key, Map takes Member<String> by content.
class String {
 public:
  String(const String&) = delete;
  String& operator=(const String&) = delete;

  /// Number of bytes.
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  const char* data() const noexcept { return reinterpret_cast<const char*>(this) + sizeof(String); }
  /// The bytes; valid while the string is reachable: do not keep the view longer than a root.
  std::string_view view() const noexcept { return {data(), size_}; }
  operator std::string_view() const noexcept { return view(); }

  friend bool operator==(const String& a, const String& b) noexcept { return a.view() == b.view(); }
  friend std::strong_ordering operator<=>(const String& a, const String& b) noexcept { return a.view() <=> b.view(); }
  friend bool operator==(const String& a, std::string_view b) noexcept { return a.view() == b; }
  friend std::strong_ordering operator<=>(const String& a, std::string_view b) noexcept { return a.view() <=> b; }

 private:
  friend Local<String> make_string(std::string_view view);
  explicit String(std::size_t size) noexcept : size_(size) {}

  std::size_t size_;  // the bytes follow
};

/// False although the type is plain: a String has bytes behind it, so it is no part of another object, only a whole one.
template <>
struct is_leaf<String> : std::false_type {};

/// A new string with a copy of the bytes of `view`, which must stay valid during the call (a view of a managed string: while
/// that string is reachable). A safepoint; on a goroutine only. Throws std::bad_alloc past Options::memory_limit after a full
/// collection, std::bad_array_new_length above 2^46 bytes.
inline Local<String> make_string(std::string_view view) {
  if (view.size() > (std::size_t{1} << 46)) throw std::bad_array_new_length();
  const std::size_t bytes = sizeof(String) + view.size();
  Local<String> root = Local<String>::loaded([bytes] {
    if (bytes > detail::kLargestCellBytes)
      return static_cast<String*>(detail::allocate_large(detail::kLeafPattern, bytes));
    const std::uint32_t size_class = detail::size_class_lookup(bytes);
    return static_cast<String*>(detail::allocate_cell(detail::kLeafPattern * detail::kSizeClasses + size_class,
                                                      detail::kCellBytes[size_class]));
  });
  auto* string = ::new (root.raw()) String(view.size());
  if (!view.empty()) std::memcpy(const_cast<char*>(string->data()), view.data(), view.size());
  return root;
}

}  // namespace tandem

/// By content, as operator==.
template <>
struct std::hash<tandem::String> {
  std::size_t operator()(const tandem::String& string) const noexcept {
    return std::hash<std::string_view>{}(string.view());
  }
};
