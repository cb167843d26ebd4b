#pragma once
// What hangs on an object from outside: the handles of weak references to it, cleanups, and the entries of WeakMaps of which it
// is the key. (Go calls them specials.)
//
// In shards by block, each with one lock. A block is swept under the lock of its shard, so whoever holds that sees each of its
// objects either before the sweep, when the mark bit tells whether it is alive, or after it, when an object that is
// still attached is. Handles are managed objects; the collector marks those of every shard as roots, so a handle lives as
// long as its target, and then as long as anybody refers to it.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "gc/heap_profile.h"
#include "gc/marker.h"
#include "runtime/base/spin_lock.h"
#include "tandem/detail/cleanup.h"
#include "tandem/detail/ephemeron.h"
#include "tandem/detail/weak_handle.h"

namespace tandem::detail {

class EphemeronTable : public std::enable_shared_from_this<EphemeronTable> {
 public:
  explicit EphemeronTable(std::uintptr_t map) : map_address(map) {}

  const std::uintptr_t map_address;
  std::atomic<std::size_t> entries{0};
  std::atomic<bool> dead{false};  // the map has been swept: its entries are dropped when somebody meets them
};

}  // namespace tandem::detail

namespace tandem::gc {

class Attachments {
 public:
  static constexpr std::size_t kShards = 64;

  /// Drops what the last cleanups of the last run have attached, to cells that are gone.
  void begin_run();

  /// Held while `block` is swept.
  base::SpinLock& lock_of(BlockIndex block) { return shards_[block % kShards].lock; }

  /// The handle whose target is `object`, or null; with the lock held.
  detail::WeakHandle* find_handle(CellRef cell, const void* object);
  /// With the lock held. The caller keeps the object of `cell` reachable.
  void add_handle(CellRef cell, detail::WeakHandle& handle);
  void add_cleanup(CellRef cell, std::unique_ptr<detail::Cleanup> cleanup);

  /// The object was sampled, and stands for so many bytes.
  void add_sample(CellRef cell, HeapProfile::Bucket& bucket, std::uint64_t bytes);

  /// An entry of a WeakMap: `key` is what it is attached to.
  struct Ephemeron {
    std::shared_ptr<detail::EphemeronTable> table;
    void* value;
  };
  /// With the lock of the key: its entry in the table, or null.
  Ephemeron* find_ephemeron(CellRef key, const detail::EphemeronTable& table);
  void add_ephemeron(CellRef key, Ephemeron entry);
  void erase_ephemeron(CellRef key, Ephemeron& entry);
  /// With the lock of the map: the table of the map in this cell.
  void add_table(CellRef map, std::shared_ptr<detail::EphemeronTable> table);

  /// Whether an object of the block may have anything attached; with the lock held.
  bool any_in(BlockIndex block) const { return shards_[block % kShards].cells_by_block.contains(block); }
  /// By the sweeper, with the lock held: the object is unreachable. Its handles become null, its cleanups go to the finaliser,
  /// which has been given the object before if that has a destructor.
  void died(CellRef cell);

  /// Is there anything to scan? Asked when all processors allocate black: handles made later are marked.
  bool any_handles() const { return handles_.load(std::memory_order_relaxed) != 0; }
  /// Shades the handles of one shard.
  void scan(std::size_t shard, ProcessorState& state);
  bool any_ephemerons() const { return ephemerons_.load(std::memory_order_relaxed) != 0; }
  /// Shades the values of one shard whose keys and maps are marked.
  void scan_ephemerons(std::size_t shard, ProcessorState& state);

  /// For bdwgc, with the world stopped: each cell that has something attached; each handle, and each value of a WeakMap.
  template <class Function>
  void for_each_cell(Function function);
  template <class Function>
  void for_each_reference(Function function);

  /// The end of a run: all handles become null. Later all cleanups go to the finaliser, and nothing is attached any more.
  void forget_handles();
  void release_all();

 private:
  struct Attached {
    std::vector<detail::WeakHandle*> handles;  // more than one if bases lie at different addresses
    std::vector<std::unique_ptr<detail::Cleanup>> cleanups;
    std::vector<Ephemeron> ephemerons;                            // at most one a map
    std::vector<std::shared_ptr<detail::EphemeronTable>> tables;  // of WeakMaps in the object
    HeapProfile::Bucket* sampled_by = nullptr;
    std::uint64_t sampled_bytes = 0;
  };
  struct alignas(64) Shard {
    base::SpinLock lock;
    std::unordered_map<BlockIndex, std::unordered_map<std::uint32_t, Attached>> cells_by_block;  // guarded by lock
  };
  Attached* find(CellRef cell);
  void drop(Ephemeron& entry);
  Attached& attached(CellRef cell) { return shards_[cell.block % kShards].cells_by_block[cell.block][cell.index]; }

  std::array<Shard, kShards> shards_;
  std::atomic<std::size_t> handles_{0};
  std::atomic<std::size_t> ephemerons_{0};
};

extern Attachments attachments;

template <class Function>
void Attachments::for_each_cell(Function function) {
  for (Shard& shard : shards_) {
    const std::lock_guard guard(shard.lock);
    for (const auto& [block, cells] : shard.cells_by_block)
      for (const auto& [cell, attached] : cells) function(CellRef{block, cell});
  }
}

template <class Function>
void Attachments::for_each_reference(Function function) {
  for (Shard& shard : shards_) {
    const std::lock_guard guard(shard.lock);
    for (const auto& [block, cells] : shard.cells_by_block)
      for (const auto& [cell, attached] : cells) {
        for (detail::WeakHandle* handle : attached.handles) function(handle);
        for (const Ephemeron& entry : attached.ephemerons)
          if (!entry.table->dead.load(std::memory_order_relaxed)) function(entry.value);
      }
  }
}

}  // namespace tandem::gc
