#pragma once
// The heap's address space: one reservation cut into blocks, and its side tables (descriptors and bitmaps), each one
// reservation of its own, indexed by block. Owns which blocks are free; nothing of what lies in them.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "gc/block.h"
#include "runtime/base/spin_lock.h"

namespace tandem::gc {

class Region {
 public:
  /// Reserves at most `bytes_max` of address space, halving while it is refused. Throws std::bad_alloc below 1 GiB.
  void reserve(std::size_t bytes_max);
  void release();

  /// Takes a run of neighbouring blocks; their memory may hold anything, their bitmaps are clear. 0 blocks: none left.
  /// Returns kNoBlock when the address space is used up.
  BlockIndex take(std::uint32_t blocks);
  /// Gives a run back; bitmaps are cleared, memory goes back to the system when the run is large.
  void give(BlockIndex first, std::uint32_t blocks);

  /// Memory that stays free goes back to the system: begins a pass over the groups of blocks, one cycle after the other.
  void begin_trim();
  /// Looks at groups until one was given back, which takes some 50 us; false when the pass is over. Any worker.
  bool trim_step();
  bool trim_left() const {
    return trim_next_.load(std::memory_order_relaxed) < trim_end_.load(std::memory_order_relaxed);
  }

  static constexpr BlockIndex kNoBlock = 0xffffffff;

  bool contains(const void* address) const { return offset(address) < bytes_; }
  BlockIndex index_of(const void* address) const { return static_cast<BlockIndex>(offset(address) >> kBlockShift); }
  std::byte* address_of(BlockIndex block) const { return base_ + (std::size_t{block} << kBlockShift); }
  Block& block(BlockIndex index) { return blocks_[index]; }

  /// Bitmaps of a block, a bit a cell. marks: shared, atomic. The others: written by the block's owner or sweeper, except
  /// that the finaliser clears `constructed` and `condemned` (sweeper.h).
  std::atomic<std::uint64_t>* marks(BlockIndex b) { return marks_ + std::size_t{b} * kBitmapWords; }
  std::uint64_t* allocated(BlockIndex b) { return allocated_ + std::size_t{b} * kBitmapWords; }
  std::atomic<std::uint64_t>* constructed(BlockIndex b) { return constructed_ + std::size_t{b} * kBitmapWords; }
  std::atomic<std::uint64_t>* condemned(BlockIndex b) { return condemned_ + std::size_t{b} * kBitmapWords; }

  /// Blocks that the address space has room for.
  std::size_t blocks() const { return bytes_ >> kBlockShift; }
  /// Blocks [0, used()) have ever been taken.
  BlockIndex used() const { return used_.load(std::memory_order_acquire); }
  std::uint64_t blocks_in_use() const { return in_use_.load(std::memory_order_relaxed); }

 private:
  std::size_t offset(const void* address) const {
    return reinterpret_cast<std::uintptr_t>(address) - reinterpret_cast<std::uintptr_t>(base_);
  }
  BlockIndex take_free_run(std::uint32_t blocks);
  void set_free(BlockIndex first, std::uint32_t blocks, bool free);
  bool claim_for_trim(std::size_t group);

  /// Blocks are given back by huge pages, 32 at a time, when all were free in two passes running: what a program needs again
  /// in each cycle stays.
  enum class GroupState : std::uint8_t { kInUse, kFree, kGivenBack };
  static constexpr std::uint32_t kGroupBlocks = 32;

  std::byte* base_ = nullptr;
  std::size_t bytes_ = 0;
  Block* blocks_ = nullptr;
  std::atomic<std::uint64_t>* marks_ = nullptr;
  std::uint64_t* allocated_ = nullptr;
  std::atomic<std::uint64_t>* constructed_ = nullptr;
  std::atomic<std::uint64_t>* condemned_ = nullptr;
  std::atomic<BlockIndex> used_{0};
  std::atomic<std::uint64_t> in_use_{0};
  base::SpinLock lock_;
  std::vector<std::uint64_t> free_;  // guarded by lock_: bit b set: block b below used_ is free
  std::size_t free_blocks_ = 0;      // guarded by lock_
  std::size_t search_from_ = 0;      // guarded by lock_: word of free_ below which no bit is set
  std::vector<GroupState> groups_;   // guarded by lock_: as the last pass found it; kInUse when taken from since
  std::atomic<std::size_t> trim_next_{0};
  std::atomic<std::size_t> trim_end_{0};
};

/// The heap's region; reserved while the runtime runs.
extern Region region;

}  // namespace tandem::gc
