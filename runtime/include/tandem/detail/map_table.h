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

  /// The entry with this key.
  static Place find(const Groups& groups, const Probe& key, std::uint64_t hash) {
    const std::uint8_t tag = MapControl::tag(hash);
    for (Walk walk(groups, hash); !walk.done(); walk.advance()) {
      Group& group = groups[walk.index()];
      const std::uint64_t control = group.control();
      if (const Place found = find_in_group(group, control, key, tag)) return found;
      if (MapControl::any_empty(control)) return {};
    }
    return {};
  }

  struct Search {
    Place place;  ///< the entry, or the slot where it is to be made; none: the table is full
    bool found;
  };

  /// The entry with this key, or the first slot of the search that is not in use.
  static Search find_or_free(const Groups& groups, const Probe& key, std::uint64_t hash) {
    const std::uint8_t tag = MapControl::tag(hash);
    Place free;
    for (Walk walk(groups, hash); !walk.done(); walk.advance()) {
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
  /// The order in which a search visits the groups.
  class Walk {
   public:
    Walk(const Groups& groups, std::uint64_t hash) : mask_(groups.size() - 1), index_((hash >> 7) & mask_) {}
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
    for (Walk walk(groups, hash); !walk.done(); walk.advance()) {
      Group& group = groups[walk.index()];
      if (const MapSlotSet unused = MapControl::not_in_use(group.control())) return {&group, unused.first()};
    }
    return {};
  }
};

}  // namespace tandem::detail
