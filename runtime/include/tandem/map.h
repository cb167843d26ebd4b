#pragma once
/// \file
/// Map<K, V>: a hash table on the managed heap.
///
/// \code
///   struct Index {
///     tandem::Member<tandem::Map<tandem::Member<tandem::String>, int>> counts;
///     void trace(tandem::Visitor& visit) const { visit(counts); }
///   };
///   tandem::Local<tandem::Map<tandem::Member<tandem::String>, int>> counts =
///       tandem::make_map<tandem::Member<tandem::String>, int>();
///   counts->insert_or_assign("word", counts->find("word").value_or(0) + 1);
///   for (auto [word, count] : *counts) std::printf("%.*s %d\n", int(word->size()), word->data(), count);
/// \endcode

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "tandem/detail/map_hash.h"
#include "tandem/detail/map_table.h"
#include "tandem/detail/rooted_form.h"
#include "tandem/detail/words.h"
#include "tandem/local.h"
#include "tandem/make.h"
#include "tandem/member.h"
#include "tandem/string.h"
#include "tandem/visitor.h"

namespace tandem {

template <class K, class V>
class Map;

/// A new map. `expected_size` entries fit before it grows; it is a hint and may be 0. A safepoint; on a goroutine only.
/// Throws std::bad_alloc past Options::memory_limit after a full collection.
template <class K, class V>
[[nodiscard]] Local<Map<K, V>> make_map(std::size_t expected_size = 0);

/// From keys to values, each key at most once, in no particular order.
///
/// K: integers, enums, Member<String> (compared by content), or any trivially copyable type with operator== and a std::hash,
/// neither of which calls this library. V: a leaf, Member<U>, or a type with trace(). What goes in and comes out is the
/// rooted form: K or V itself for leaves, Local<U> for Member<U>, Rooted<S> for a traced struct S. Where K is Member<String>
/// every key may also be given as a std::string_view: looking up then allocates nothing, and a string is made only when the
/// key is new.
///
/// Cost: 9 to 10 bytes over key and value for each of 8 slots, of which at most 7 are used. A map that is full doubles in one
/// call (it polls for safepoints meanwhile): linear in its size then, constant over many insertions. Erasing does not shrink.
///
/// Threads: as Go's map: any number of goroutines may read at once; one that changes it must be alone (Mutex, SharedMutex).
/// Breaking this rule loses entries or gives old ones, but does not corrupt the heap, except where keys or values have
/// destructors or are not words. No operation parks for the map; all of them but the hints poll, so every one is a safepoint.
template <class K, class V>
class Map {
  using Table = detail::MapTable<K, V>;
  using Groups = typename Table::Groups;
  using Place = typename Table::Place;
  using Probe = typename Table::Probe;
  using RootedKey = detail::RootedForm<K>;
  using RootedValue = detail::RootedForm<V>;
  static constexpr bool kStringKeys = std::is_same_v<K, Member<String>>;

 public:
  using key_type = RootedKey;
  using mapped_type = RootedValue;
  using value_type = std::pair<RootedKey, RootedValue>;

  /// Adds the entry unless the key is there already, in which case nothing changes. True: it was added. Throws
  /// std::bad_alloc as make does, and what copying or moving a V throws; the map then is as before.
  bool insert(const RootedKey& key, RootedValue value) {
    poll();
    return insert_polled(key, hash_of(probe(key)), std::move(value));
  }
  bool insert(std::string_view key, RootedValue value)
    requires kStringKeys
  {
    poll();
    const std::uint64_t hash = hash_of(key);
    return !find_polled(key, hash) && insert_new(key, hash, std::move(value));
  }

  /// Sets the value of the key, adding the entry if need be. True: it was added. Throws as insert does.
  bool insert_or_assign(const RootedKey& key, RootedValue value) {
    poll();
    const std::uint64_t hash = hash_of(probe(key));
    return !assign_polled(probe(key), hash, value) && insert_polled(key, hash, std::move(value));
  }
  bool insert_or_assign(std::string_view key, RootedValue value)
    requires kStringKeys
  {
    poll();
    const std::uint64_t hash = hash_of(key);
    return !assign_polled(key, hash, value) && insert_new(key, hash, std::move(value));
  }

  /// The value of the key, rooted (for a traced struct: a copy of it, which allocates), or nullopt.
  [[nodiscard]] std::optional<RootedValue> find(const RootedKey& key) const {
    poll();
    return value_of(probe(key));
  }
  [[nodiscard]] std::optional<RootedValue> find(std::string_view key) const
    requires kStringKeys
  {
    poll();
    return value_of(key);
  }

  [[nodiscard]] bool contains(const RootedKey& key) const {
    poll();
    return static_cast<bool>(find_polled(probe(key), hash_of(probe(key))));
  }
  [[nodiscard]] bool contains(std::string_view key) const
    requires kStringKeys
  {
    poll();
    return static_cast<bool>(find_polled(key, hash_of(key)));
  }

  /// Hints, for who is about to look up several keys, in this map or in several: call prefetch for all of them, then
  /// prefetch_entry for all, then look them up. A look-up waits for the memory of the table, then for that of the key's
  /// string, then the caller for that of the value's object; so the waits of all keys overlap. Some dozens of keys at a time,
  /// or the first have left the cache when they are wanted. No safepoints.
  void prefetch(const RootedKey& key) const { prefetch_probed(probe(key)); }
  void prefetch(std::string_view key) const
    requires kStringKeys
  {
    prefetch_probed(key);
  }
  /// The second step: the key's string, the value's object.
  void prefetch_entry(const RootedKey& key) const { prefetch_entry_probed(probe(key)); }
  void prefetch_entry(std::string_view key) const
    requires kStringKeys
  {
    prefetch_entry_probed(key);
  }

  /// Takes the entry out. True: it was there.
  bool erase(const RootedKey& key) {
    poll();
    return erase_polled(probe(key));
  }
  bool erase(std::string_view key)
    requires kStringKeys
  {
    poll();
    return erase_polled(key);
  }

  /// Takes all entries out and lets the table go.
  void clear() {
    poll();
    table_ = nullptr;
    size_ = 0;
    unused_ = 0;
  }

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }

  /// `for (auto [key, value] : *map)`: rooted copies. The map may be changed meanwhile by the goroutine that iterates, as in Go:
  /// an entry erased before it is reached is not seen, one that is added may or may not be, and one that stays is seen once.
  /// Iterators keep the map reachable.
  class Iterator;
  Iterator begin() const { return Iterator(local_from(const_cast<Map*>(this))); }
  std::default_sentinel_t end() const noexcept { return {}; }

  void trace(Visitor& visit) const { visit(table_); }

  // -- For the library: make_map.

  struct ByMakeMap {};  // keeps maps off the stack
  Map(ByMakeMap, const Local<Groups>& groups) : table_(groups) {
    if (groups) {
      group_count_ = groups->size();
      unused_ = Table::usable_slots(group_count_);
    }
  }
  Map(const Map&) = delete;
  Map& operator=(const Map&) = delete;

 private:
  static Probe probe(const RootedKey& key) {
    if constexpr (kStringKeys)
      return key->view();
    else
      return key;
  }

  static std::uint64_t hash_of(const Probe& key) { return Table::Key::hash(key); }

  // Nothing here is kept beyond a safepoint, because there is none.
  void prefetch_probed(const Probe& key) const {
    if (const Groups* const groups = table_.raw()) Table::prefetch(*groups, group_count_, hash_of(key));
  }
  void prefetch_entry_probed(const Probe& key) const {
    if (const Groups* const groups = table_.raw()) Table::prefetch_entry(*groups, group_count_, hash_of(key));
  }

  [[gnu::always_inline]] void poll() const {
    if (detail::global_words.poll.load(std::memory_order_relaxed) != 0) [[unlikely]]
      poll_slow();
  }
  // The caller's Local may be assigned by another goroutine meanwhile: a root of our own.
  [[gnu::noinline, gnu::cold]] void poll_slow() const {
    const Local<const Map> self = local_from(this);
    detail::safepoint_slow();
  }

  // From here on the map is not touched by a safepoint before the result has been used, unless it is said.

  Place find_polled(const Probe& key, std::uint64_t hash) const {
    const Groups* const groups = table_.raw();
    return groups == nullptr ? Place{} : Table::find(*groups, group_count_, key, hash);
  }

  std::optional<RootedValue> value_of(const Probe& key) const {
    const Local<Groups> groups = table_.get();  // copying a traced struct is a safepoint
    if (!groups) return std::nullopt;
    const Place place = Table::find(*groups, group_count_, key, hash_of(key));
    if (!place) return std::nullopt;
    return std::optional<RootedValue>(std::in_place, std::as_const(place.value()));
  }

  bool assign_polled(const Probe& key, std::uint64_t hash, RootedValue& value) {
    const Place place = find_polled(key, hash);
    if (place) place.group->assign(place.slot, detail::from_rooted<V>(value));
    return static_cast<bool>(place);
  }

  // A safepoint where the table grows.
  bool insert_polled(const RootedKey& key, std::uint64_t hash, RootedValue value) {
    Local<Groups> groups = table_.get();
    for (;;) {
      if (groups) {
        const auto [place, found] = Table::find_or_free(*groups, group_count_, probe(key), hash);
        if (found) return false;
        const bool takes_unused = place && place.group->is_empty(place.slot);
        if (place && (!takes_unused || unused_ != 0)) {
          place.group->fill(place.slot, detail::MapControl::tag(hash), key, detail::from_rooted<V>(value));
          unused_ -= takes_unused;
          ++size_;
          return true;
        }
      }
      groups = grow(groups);
    }
  }

  // A safepoint.
  bool insert_new(std::string_view key, std::uint64_t hash, RootedValue&& value)
    requires kStringKeys
  {
    const Local<Map> self = local_from(this);
    return insert_polled(make_string(key), hash, std::move(value));
  }

  bool erase_polled(const Probe& key) {
    const Place place = find_polled(key, hash_of(key));
    if (!place) return false;
    place.group->erase(place.slot);
    unused_ += place.group->is_empty(place.slot);
    --size_;
    return true;
  }

  /// Moves all entries to a new table: twice as large, or as large when half of the slots in use hold erased entries.
  /// Always a new one, because iterators go on in the old one. A safepoint.
  [[gnu::noinline]] Local<Groups> grow(const Local<Groups>& old) {
    const Local<Map> self = local_from(this);
    const std::size_t old_count = old ? old->size() : 0;
    const bool many_erased = size_ <= Table::usable_slots(old_count) / 2;
    const std::size_t count = old_count == 0 ? 1 : many_erased ? old_count : 2 * old_count;
    const Local<Groups> fresh = make_array<typename Table::Group>(count);
    std::size_t moved = 0;
    for (std::size_t index = 0; index < old_count; ++index) {
      moved += Table::move_group((*old)[index], *fresh);
      poll();
    }
    table_ = fresh;
    group_count_ = count;
    size_ = moved;
    unused_ = Table::usable_slots(count) - moved;
    return fresh;
  }

  Member<Groups> table_;         // null while nothing was ever inserted
  std::size_t group_count_ = 0;  // of the table; a hint only, see MapTable::find
  std::size_t size_ = 0;         // entries
  std::size_t unused_ = 0;       // slots never used that may be used before the table grows
};

template <class K, class V>
class Map<K, V>::Iterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using difference_type = std::ptrdiff_t;
  using value_type = typename Map::value_type;

  explicit Iterator(const Local<Map>& map) : map_(map), groups_(map->table_) { find_next(); }

  /// The entry as it was when the iterator came to it; changing it does not change the map.
  value_type& operator*() { return *entry_; }
  value_type* operator->() { return &*entry_; }
  /// A safepoint.
  Iterator& operator++() {
    find_next();
    return *this;
  }
  void operator++(int) { find_next(); }
  friend bool operator==(const Iterator& iterator, std::default_sentinel_t) noexcept {
    return !iterator.entry_.has_value();
  }

 private:
  void find_next() {
    entry_.reset();
    if (!groups_) return;
    for (const std::size_t count = Table::slot_count(*groups_); next_ < count;) {
      const Place here{&(*groups_)[next_ / detail::kMapGroupSlots],
                       static_cast<unsigned>(next_ % detail::kMapGroupSlots)};
      if (here.slot == 0) map_->poll();
      ++next_;
      if (take_entry(here)) return;
    }
    groups_ = nullptr;
  }

  bool take_entry(const Place& here) {
    if (!here.group->is_in_use(here.slot) || !Table::Key::present(here.key())) return false;
    if (map_->table_ == groups_) {
      entry_.emplace(detail::to_rooted<K>(here.key()), detail::to_rooted<V>(here.value()));
      return true;
    }
    // The map has grown since: this table tells which keys there were, the present one what has become of them.
    RootedKey key = detail::to_rooted<K>(here.key());
    std::optional<RootedValue> value = map_->value_of(probe(key));
    if (!value) return false;
    entry_.emplace(std::move(key), std::move(*value));
    return true;
  }

  Local<Map> map_;
  Local<Groups> groups_;  // the table when the iteration began; null when it is over
  std::size_t next_ = 0;  // slot to look at next
  std::optional<value_type> entry_;
};

template <class K, class V>
Local<Map<K, V>> make_map(std::size_t expected_size) {
  using Table = detail::MapTable<K, V>;
  Local<typename Table::Groups> groups;
  if (expected_size != 0) {
    std::size_t count = 1;
    while (Table::usable_slots(count) < expected_size && count <= (std::size_t{1} << 40)) count *= 2;
    groups = make_array<typename Table::Group>(count);
  }
  return make<Map<K, V>>(typename Map<K, V>::ByMakeMap{}, groups);
}

}  // namespace tandem
