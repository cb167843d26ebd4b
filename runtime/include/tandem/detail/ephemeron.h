#pragma once
// What WeakMap<K, V> knows of its table. The entries lie with their keys, in the collector's record of what is attached to an
// object: so they go when the key goes, and looking one up costs one look-up of the key.

#include <cstddef>

namespace tandem::detail {

/// The identity of one map, which lives as long as the map's object or any entry.
class EphemeronTable;

/// For the map that lies at `map`, a managed object under construction. On a goroutine only; never parks. Throws
/// std::bad_alloc, as does storing.
EphemeronTable* make_ephemeron_table(void* map);

/// Sets the value of `key`, unless it has one and `overwrite` is false. True: it had none. Neither is null, the caller keeps
/// both reachable. Takes a short lock, as the others do. On a goroutine only; never parks.
bool ephemeron_store(EphemeronTable& table, void* key, void* value, bool overwrite);
/// The value of `key`, to be rooted before the next poll; null: it has none.
void* ephemeron_find(EphemeronTable& table, const void* key) noexcept;
/// True: it was there.
bool ephemeron_erase(EphemeronTable& table, const void* key) noexcept;
/// Entries whose keys have not been swept.
std::size_t ephemeron_count(const EphemeronTable& table) noexcept;

}  // namespace tandem::detail
