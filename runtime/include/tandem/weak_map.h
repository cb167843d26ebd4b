#pragma once
/// \file
/// WeakMap<K, V>: values for objects that somebody else owns.
///
/// \code
///   tandem::Local<tandem::WeakMap<Session, Statistics>> seen = tandem::make_weak_map<Session, Statistics>();
///   seen->insert_or_assign(session, {});
/// \endcode

#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>

#include "tandem/detail/ephemeron.h"
#include "tandem/detail/rooted_form.h"
#include "tandem/detail/words.h"
#include "tandem/local.h"
#include "tandem/make.h"
#include "tandem/member.h"
#include "tandem/visitor.h"

namespace tandem {

/// An ephemeron table (Hayes 1997): from objects, by identity, to values. An entry keeps its value alive as long as both its
/// key and the map are reachable otherwise, also when the value refers to the key; it does not keep the key alive, and goes
/// with it. So there is nothing to iterate over.
///
/// K: the type of the objects, or a Member of it. V: a leaf, Member<U>, or a type with trace(); what goes in and comes out is
/// the rooted form (channel.h). Lies in a managed object of its own: make_weak_map, or make.
///
/// Threads: any number of goroutines at once; each operation is one step. No operation parks for the map; those that take
/// or give a V other than Member<U> may allocate: safepoints, which throw std::bad_alloc. Null keys, and null references as values, are fatal errors.
/// Cost: an entry takes some 100 bytes outside the managed heap. A cycle looks at every entry of every map, at least once and
/// once more for each link of the longest chain in which values lead to further keys.
template <class K, class V>
class WeakMap {
  template <class T>
  struct Pointee {
    using Type = T;
  };
  template <class T>
  struct Pointee<Member<T>> {
    using Type = T;
  };
  using Key = typename Pointee<K>::Type;
  using RootedValue = detail::RootedForm<V>;

  static constexpr bool kDirect = detail::IsMember<V>::value;  // the value is the object itself
  struct Box {
    V value;
    template <class... Arguments>
    explicit Box(std::in_place_t, Arguments&&... arguments) : value(std::forward<Arguments>(arguments)...) {}
    void trace(Visitor& visit) const { visit(value); }
  };

 public:
  using key_type = Local<Key>;
  using mapped_type = RootedValue;

  WeakMap() : table_(detail::make_ephemeron_table(this)) {}
  WeakMap(const WeakMap&) = delete;
  WeakMap& operator=(const WeakMap&) = delete;

  /// Adds the entry unless the key has one. True: it was added.
  bool insert(const Local<Key>& key, RootedValue value) { return store(key, std::move(value), false); }
  /// Sets the value of the key. True: it had none.
  bool insert_or_assign(const Local<Key>& key, RootedValue value) { return store(key, std::move(value), true); }

  /// The value of the key, rooted, or nullopt.
  [[nodiscard]] std::optional<RootedValue> find(const Local<Key>& key) const {
    if constexpr (kDirect) {
      RootedValue value = look_up<typename V::element_type>(key);
      return value ? std::optional<RootedValue>(std::move(value)) : std::nullopt;
    } else {
      const Local<Box> box = look_up<Box>(key);
      return box ? std::optional<RootedValue>(detail::to_rooted(box->value)) : std::nullopt;
    }
  }
  [[nodiscard]] bool contains(const Local<Key>& key) const {
    return detail::ephemeron_find(*table_, erased(key.raw())) != nullptr;
  }
  /// Takes the entry out. True: it was there.
  bool erase(const Local<Key>& key) { return detail::ephemeron_erase(*table_, erased(key.raw())); }
  /// Entries whose keys are not known to be gone: what a cycle has found unreachable counts until it is swept.
  std::size_t size() const noexcept { return detail::ephemeron_count(*table_); }

  void trace(Visitor&) const {}

 private:
  template <class T>
  static void* erased(T* pointer) noexcept {
    return const_cast<void*>(static_cast<const volatile void*>(pointer));
  }
  template <class T>
  Local<T> look_up(const Local<Key>& key) const {
    return Local<T>::loaded([&] { return static_cast<T*>(detail::ephemeron_find(*table_, erased(key.raw()))); });
  }
  bool store(const Local<Key>& key, RootedValue&& value, bool overwrite) {
    const Local<WeakMap> self = local_from(this);
    if constexpr (kDirect) {
      return detail::ephemeron_store(*table_, erased(key.raw()), erased(value.raw()), overwrite);
    } else {
      const Local<Box> box = make<Box>(std::in_place, detail::from_rooted<V>(value));
      return detail::ephemeron_store(*table_, erased(key.raw()), box.raw(), overwrite);
    }
  }

  detail::EphemeronTable* const table_;
};

/// A new, empty one. A safepoint; on a goroutine only. Throws std::bad_alloc.
template <class K, class V>
[[nodiscard]] Local<WeakMap<K, V>> make_weak_map() {
  return make<WeakMap<K, V>>();
}

}  // namespace tandem
