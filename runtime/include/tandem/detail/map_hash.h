#pragma once
// What a Map asks of its keys: how they are hashed, compared, given and kept.

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <type_traits>

#include "tandem/local.h"
#include "tandem/member.h"
#include "tandem/string.h"

namespace tandem::detail {

/// Spreads a hash over all bits. std::hash of an integer is the integer itself, and a table takes its group from the upper
/// bits and its tag from the lower ones: neighbouring keys must differ in both. The halves of a 128-bit product do that.
inline std::uint64_t mix_hash(std::uint64_t hash) noexcept {
  constexpr std::uint64_t kOdd = 0x9e37'79b9'7f4a'7c15;  // 2^64 divided by the golden ratio
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(hash ^ 0x2545'f491'4f6c'dd1d) * kOdd;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

template <class K>
concept PlainMapKey = std::is_trivially_copyable_v<K> && requires(const K& a, const K& b) {
  { std::hash<K>{}(a) } -> std::convertible_to<std::size_t>;
  { a == b } -> std::convertible_to<bool>;
};

/// Keys that are kept as they are. Probe is what a look-up takes.
template <class K>
struct MapKey {
  static_assert(PlainMapKey<K>,
                "Map<K, V>: K is an integer, an enum, Member<String> (for strings, also instead of std::string and "
                "Local<String>), or a trivially copyable type with operator== and a std::hash");
  using Probe = K;
  static std::uint64_t hash(const K& key) { return mix_hash(std::hash<K>{}(key)); }
  static bool equal(const K& kept, const K& probe) { return kept == probe; }
  static const K& probe(const K& kept) { return kept; }
  static bool present(const K&) { return true; }
};

/// Strings, by content. A look-up takes a view of the bytes and allocates nothing.
template <>
struct MapKey<Member<String>> {
  using Probe = std::string_view;
  static std::uint64_t hash(std::string_view key) { return mix_hash(std::hash<std::string_view>{}(key)); }
  static bool equal(const Member<String>& kept, std::string_view probe) {
    const String* const string = kept.raw();
    return string != nullptr && string->view() == probe;
  }
  static std::string_view probe(const Member<String>& kept) {
    const String* const string = kept.raw();
    return string != nullptr ? string->view() : std::string_view();
  }
  /// A goroutine that erases meanwhile, against the rules, may have cleared the key.
  static bool present(const Member<String>& kept) { return kept.raw() != nullptr; }
};

}  // namespace tandem::detail
