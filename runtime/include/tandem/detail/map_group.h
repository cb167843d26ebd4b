#pragma once
// Eight entries of a Map and their control word, the element of its table.
//
// Control byte i, bits 8i to 8i + 7 of the word, tells about entry i:
//   0            never used since the table was made: a search for a key that is not there ends here
//   1            erased: a search goes on
//   0x80 | tag   in use; the tag is seven bits of the key's hash, so that a search compares few keys that differ
// A zeroed table is an empty one. All eight tests are made at once, with ordinary arithmetic on the word.
//
// A Map must not be used by two goroutines at once when one of them changes it. Should that happen all the same, words are
// read and written whole (relaxed: nothing is promised about what a racing reader finds), an entry found in use may be
// null, and nothing worse follows for entries without destructors.

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

#include "tandem/detail/barrier.h"
#include "tandem/detail/layout.h"
#include "tandem/detail/rooted_form.h"
#include "tandem/visitor.h"

namespace tandem::detail {

inline constexpr std::size_t kMapGroupSlots = 8;

/// Sets of the eight slots of a group: bit 7 of byte i set means that slot i is a member.
struct MapSlotSet {
  std::uint64_t bits;
  explicit operator bool() const { return bits != 0; }
  unsigned first() const { return static_cast<unsigned>(std::countr_zero(bits)) / 8; }
  void remove_first() { bits &= bits - 1; }
};

/// The tests on a control word.
struct MapControl {
  static constexpr std::uint64_t kLow = 0x0101'0101'0101'0101;
  static constexpr std::uint64_t kHigh = 0x8080'8080'8080'8080;
  static constexpr std::uint8_t kErased = 1;
  static constexpr std::uint8_t kInUse = 0x80;

  static std::uint8_t tag(std::uint64_t hash) { return kInUse | static_cast<std::uint8_t>(hash & 0x7f); }

  /// Exact up to the first zero byte; above it a byte of value 1 may be reported too.
  static MapSlotSet zero_bytes(std::uint64_t word) { return {(word - kLow) & ~word & kHigh}; }

  /// Slots in use that have the tag, and possibly a few in use that do not: their keys tell. (Never others: a byte that is
  /// reported wrongly differs from the tag in its lowest bit only, so it has the bit kInUse.)
  static MapSlotSet with_tag(std::uint64_t word, std::uint8_t tag) { return zero_bytes(word ^ (kLow * tag)); }
  static bool any_empty(std::uint64_t word) { return static_cast<bool>(zero_bytes(word)); }
  static MapSlotSet in_use(std::uint64_t word) { return {word & kHigh}; }
  static MapSlotSet not_in_use(std::uint64_t word) { return {~word & kHigh}; }
};

template <class K, class V>
class MapGroup {
  static_assert(std::endian::native == std::endian::little, "control bytes are counted from the low end of the word");
  static_assert(alignof(K) <= kCellAlignment && alignof(V) <= kCellAlignment,
                "Map<K, V>: keys and values are aligned to at most 16 bytes");
  static constexpr bool kLeafEntries = kIsLeaf<K> && kIsLeaf<V>;

 public:
  MapGroup() = default;
  ~MapGroup()
    requires std::is_trivially_destructible_v<V>
  = default;
  ~MapGroup() {
    for (MapSlotSet used = MapControl::in_use(control()); used; used.remove_first()) value(used.first()).~V();
  }

  // All entries, used or not: which references there are must not depend on the contents.
  void trace(Visitor& visit) const
    requires(!kLeafEntries)
  {
    for (unsigned slot = 0; slot < kMapGroupSlots; ++slot) {
      visit(key(slot));
      visit(value(slot));
    }
  }

  std::uint64_t control() const { return __atomic_load_n(&control_, __ATOMIC_RELAXED); }
  bool is_empty(unsigned slot) const { return control_byte(slot) == 0; }
  bool is_in_use(unsigned slot) const { return (control_byte(slot) & MapControl::kInUse) != 0; }

  const K& key(unsigned slot) const { return *std::launder(reinterpret_cast<const K*>(entries_ + slot * kKeyStride)); }
  V& value(unsigned slot) { return *std::launder(reinterpret_cast<V*>(value_place(slot))); }
  const V& value(unsigned slot) const { return const_cast<MapGroup*>(this)->value(slot); }

  /// Makes an entry in a slot that is not in use. `key_from` and `value_from` are what a K and a V are made from.
  template <class KeyFrom, class ValueFrom>
  void fill(unsigned slot, std::uint8_t tag, const KeyFrom& key_from, ValueFrom&& value_from) {
    construct(*reinterpret_cast<V*>(value_place(slot)), std::forward<ValueFrom>(value_from));  // may throw: first
    construct(*reinterpret_cast<K*>(key_place(slot)), key_from);
    set_control(slot, tag);
  }

  template <class ValueFrom>
  void assign(unsigned slot, ValueFrom&& value_from) {
    if constexpr (std::is_assignable_v<V&, ValueFrom&&>) {
      value(slot) = std::forward<ValueFrom>(value_from);
    } else {
      static_assert(std::is_nothrow_constructible_v<V, ValueFrom&&>,
                    "Map<K, V>: insert_or_assign needs a V that can be assigned, or constructed without an exception");
      destroy(value(slot));
      construct(value(slot), std::forward<ValueFrom>(value_from));
    }
  }

  /// Leaves nothing that would keep an object reachable.
  void erase(unsigned slot) {
    set_control(slot, MapControl::any_empty(control()) ? 0 : MapControl::kErased);
    destroy(*reinterpret_cast<K*>(key_place(slot)));
    destroy(value(slot));
  }

 private:
  unsigned control_byte(unsigned slot) const { return (control() >> (slot * 8)) & 0xff; }
  void set_control(unsigned slot, std::uint8_t byte) {
    const std::uint64_t cleared = control() & ~(std::uint64_t{0xff} << (slot * 8));
    __atomic_store_n(&control_, cleared | std::uint64_t{byte} << (slot * 8), __ATOMIC_RELAXED);
  }

  // A Member that is zero is as good as constructed; assigning runs the write barrier whatever the slot holds.
  template <class T, class From>
  static void construct(T& object, From&& from) {
    if constexpr (IsMember<T>::value)
      object = std::forward<From>(from);
    else if constexpr (std::is_constructible_v<T, From&&>)
      ::new (static_cast<void*>(std::addressof(object))) T(std::forward<From>(from));
    else
      ::new (static_cast<void*>(std::addressof(object))) T{std::forward<From>(from)};
  }

  template <class T>
  static void destroy(T& object) {
    if constexpr (IsMember<T>::value) {
      object = nullptr;
    } else {
      object.~T();
      if constexpr (!kIsLeaf<T>) clear_references(object);
    }
  }

  // Through the barrier: marking may rely on a reference that is in the slot now.
  template <class T>
  static void clear_references(T& object) {
    static const std::vector<std::uint32_t> offsets = reference_offsets<T>();
    for (const std::uint32_t offset : offsets)
      store_managed(*reinterpret_cast<std::atomic<void*>*>(reinterpret_cast<std::byte*>(&object) + offset), nullptr);
  }

  // A value lies behind its key, on the same cache line if they are words, where that takes no padding; else the values
  // lie behind all keys.
  static constexpr bool kSideBySide = sizeof(K) % alignof(V) == 0 && sizeof(V) % alignof(K) == 0;
  static constexpr std::size_t kKeyStride = kSideBySide ? sizeof(K) + sizeof(V) : sizeof(K);
  static constexpr std::size_t kValueStride = kSideBySide ? kKeyStride : sizeof(V);
  static constexpr std::size_t kFirstValue =
      kSideBySide ? sizeof(K) : (kMapGroupSlots * sizeof(K) + alignof(V) - 1) / alignof(V) * alignof(V);
  static constexpr std::size_t kEntriesBytes =
      kSideBySide ? kMapGroupSlots * kKeyStride : kFirstValue + kMapGroupSlots * sizeof(V);

  std::byte* key_place(unsigned slot) { return entries_ + slot * kKeyStride; }
  std::byte* value_place(unsigned slot) { return entries_ + kFirstValue + slot * kValueStride; }

  std::uint64_t control_;
  alignas(K) alignas(V) std::byte entries_[kEntriesBytes];
};

}  // namespace tandem::detail

template <class K, class V>
struct tandem::is_leaf<tandem::detail::MapGroup<K, V>>
    : std::bool_constant<tandem::detail::kIsLeaf<K> && tandem::detail::kIsLeaf<V>> {};
