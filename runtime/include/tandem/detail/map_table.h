#pragma once
// The table of a Map: a managed array of groups, a power of two of them, searched by open addressing.
//
// A search starts at the group that the upper bits of the hash name and goes on to the groups at distances 1, 3, 6, 10 ...,
// which reaches every group once. It ends at a group with an empty slot, and in any case after the last group: a table that
// racing goroutines have filled up does not keep anybody searching.
//
// All functions take the table itself and get every bound from it, never from the Map, whose counts belong to another table
// when two goroutines use it at once. None of them is a safepoint.

#include <cstddef>
#include <cstdint>

#include "tandem/array.h"
#include "tandem/detail/map_group.h"
#include "tandem/detail/map_hash.h"

namespace tandem::detail {

template <class K, class V>
struct MapTable {
  using Group = MapGroup<K, V>;
  using Groups = Array<Group>;
  using Key = MapKey<K>;
  using Probe = typename Key::Probe;

  /// One slot, or none.
  struct Place {
    Group* group = nullptr;
    unsigned slot = 0;
    explicit operator bool() const { return group != nullptr; }
    const K& key() const { return group->key(slot); }
    V& value() const { return group->value(slot); }
  };

  static std::size_t slot_count(const Groups& groups) { return groups.size() * kMapGroupSlots; }
  /// Slots that may be used before the table grows: seven of eight.
  static std::size_t usable_slots(std::size_t group_count) { return group_count * (kMapGroupSlots - 1); }

  /// The entry with this key. The table probably has `expected_count` groups.
  static Place find(const Groups& groups, std::size_t expected_count, const Probe& key, std::uint64_t hash) {
    const std::uint8_t tag = MapControl::tag(hash);
    Walk walk(count_of(groups, expected_count), hash);
    prefetch_entries(reinterpret_cast<std::uintptr_t>(&groups[walk.index()]));
    for (; !walk.done(); walk.advance()) {
      Group& group = groups[walk.index()];
      const std::uint64_t control = group.control();
      if (const Place found = find_in_group(group, control, key, tag)) return found;
      if (MapControl::any_empty(control)) return {};
    }
    return {};
  }

  // The two steps of a look-up whose result is not needed yet. Neither waits for memory, if there is time between them.

  /// Fetches the group where a search begins. A wrong count fetches something else, or nothing: any address will do.
  static void prefetch(const Groups& groups, std::size_t expected_count, std::uint64_t hash) {
    __builtin_prefetch(&groups);
    const std::uintptr_t group =
        reinterpret_cast<std::uintptr_t>(groups.data()) + Walk(expected_count, hash).index() * sizeof(Group);
    __builtin_prefetch(reinterpret_cast<const void*>(group));
    prefetch_entries(group);
  }

  /// Fetches what the entry refers to, if it is likely that the entry is in that group.
  static void prefetch_entry(const Groups& groups, std::size_t expected_count, std::uint64_t hash) {
    const Group& group = groups[Walk(count_of(groups, expected_count), hash).index()];
    const MapSlotSet candidates = MapControl::with_tag(group.control(), MapControl::tag(hash));
    if (!candidates) return;
    if constexpr (IsMember<K>::value) __builtin_prefetch(group.key(candidates.first()).raw());
    if constexpr (IsMember<V>::value) __builtin_prefetch(group.value(candidates.first()).raw());
  }

  struct Search {
    Place place;  ///< the entry, or the slot where it is to be made; none: the table is full
    bool found;
  };

  /// The entry with this key, or the first slot of the search that is not in use.
  static Search find_or_free(const Groups& groups, std::size_t expected_count, const Probe& key, std::uint64_t hash) {
    const std::uint8_t tag = MapControl::tag(hash);
    Place free;
    for (Walk walk(count_of(groups, expected_count), hash); !walk.done(); walk.advance()) {
      Group& group = groups[walk.index()];
      const std::uint64_t control = group.control();
      if (const Place found = find_in_group(group, control, key, tag)) return {found, true};
      if (const MapSlotSet unused = MapControl::not_in_use(control); unused && !free) free = {&group, unused.first()};
      if (MapControl::any_empty(control)) break;
    }
    return {free, false};
  }

  /// Moves the entries of one group of an old table to `groups`, which has room and none of them. Returns how many.
  static std::size_t move_group(Group& from, const Groups& groups) {
    std::size_t moved = 0;
    for (MapSlotSet used = MapControl::in_use(from.control()); used; used.remove_first()) {
      const unsigned slot = used.first();
      if (!Key::present(from.key(slot))) continue;
      const std::uint64_t hash = Key::hash(Key::probe(from.key(slot)));
      const Place to = free_slot(groups, hash);
      if (!to) break;  // only when another goroutine inserts meanwhile
      to.group->fill(to.slot, MapControl::tag(hash), from.key(slot), std::move_if_noexcept(from.value(slot)));
      ++moved;
    }
    return moved;
  }

 private:
  /// The table's size, without waiting for it: the size lies on a cache line of its own, and the group that it leads to on
  /// another. Processors predict that the two numbers are equal and go on to the group while the size is on its way. (The
  /// empty asm keeps the compiler from using the one number for the other.)
  static std::size_t count_of(const Groups& groups, std::size_t expected) {
    std::size_t count = expected;
    asm("" : "+r"(count));
    if (groups.size() != expected) [[unlikely]] {
      count = groups.size();
      asm volatile("" : "+r"(count));
    }
    return count;
  }

  /// The cache lines of the group at an address, but for the first, before the control word has told which is wanted.
  static void prefetch_entries(std::uintptr_t group) {
    constexpr std::size_t kLine = 64,
                          kLinesMax = 3;  // words for keys and values; of larger entries most would be in vain
    if constexpr (sizeof(Group) <= kLinesMax * kLine)
      for (std::size_t offset = kLine; offset < sizeof(Group); offset += kLine)
        __builtin_prefetch(reinterpret_cast<const void*>(group + offset));
  }

  /// The order in which a search visits the groups.
  class Walk {
   public:
    Walk(std::size_t group_count, std::uint64_t hash) : mask_(group_count - 1), index_((hash >> 7) & mask_) {}
    bool done() const { return step_ > mask_; }
    std::size_t index() const { return index_; }
    void advance() { index_ = (index_ + ++step_) & mask_; }

   private:
    std::size_t mask_;
    std::size_t index_;
    std::size_t step_ = 0;
  };

  static Place find_in_group(Group& group, std::uint64_t control, const Probe& key, std::uint8_t tag) {
    for (MapSlotSet candidates = MapControl::with_tag(control, tag); candidates; candidates.remove_first())
      if (Key::equal(group.key(candidates.first()), key)) return {&group, candidates.first()};
    return {};
  }

  static Place free_slot(const Groups& groups, std::uint64_t hash) {
    for (Walk walk(groups.size(), hash); !walk.done(); walk.advance()) {
      Group& group = groups[walk.index()];
      if (const MapSlotSet unused = MapControl::not_in_use(group.control())) return {&group, unused.first()};
    }
    return {};
  }
};

}  // namespace tandem::detail
