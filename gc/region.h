#pragma once
// The heap's address space: one reservation cut into blocks, and its side tables (descriptors and bitmaps), each one
// reservation of its own, indexed by block. Owns which blocks are free and whether the system has given memory for them;
// nothing of what lies in them.
//
// Memory comes and goes by groups of 32 blocks, a huge page. A free block is *ready*: its group has memory, or gets it when
// the first of its blocks is touched; or it lies in a group that was given back, which is taken from only when nothing
// else is left: the first touch of a huge page costs its clearing, 0.2 ms at best.

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
  /// With huge pages, if the system has them for those who ask. What is made ready, and what others take meanwhile, stays
  /// below `limit_bytes` (0: no limit), in whole groups.
  void reserve(std::size_t bytes_max, bool huge_pages, std::uint64_t limit_bytes);
  void release();

  /// Takes a run of neighbouring blocks; their memory may hold anything, their bitmaps are clear. 0 blocks: none left.
  /// Returns kNoBlock when the address space is used up.
  BlockIndex take(std::uint32_t blocks);
  /// Gives a run back; bitmaps are cleared. The memory of a large run goes back to the system at once, by whole groups, if
  /// there is more than was to be retained.
  void give(BlockIndex first, std::uint32_t blocks);

  /// Takes memory for a group of free blocks that have none. That takes long; meanwhile the caller has the blocks and nobody
  /// else gets them. False: the limit does not allow it, no address space is left, or the system has no memory. Any thread.
  bool make_ready();

  /// Memory that stays free goes back to the system: begins a pass over the groups of blocks, one cycle after the other. So
  /// much memory is retained when large runs are freed, and so many blocks that stay free are kept ready.
  void begin_trim(std::uint64_t retained_bytes, std::uint64_t ready_blocks);
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
  /// Free and ready. Those that make_ready() or a trim has in hand are not counted.
  std::uint64_t ready_blocks() const { return ready_.load(std::memory_order_relaxed); }
  /// All that have memory, or may have.
  std::uint64_t backed_blocks() const {
    return used() - std::uint64_t{kGroupBlocks} * given_back_.load(std::memory_order_relaxed);
  }

  static constexpr std::uint32_t kGroupBlocks = 32;

 private:
  std::size_t offset(const void* address) const {
    return reinterpret_cast<std::uintptr_t>(address) - reinterpret_cast<std::uintptr_t>(base_);
  }
  /// kGivenBack: all free, without memory, and not in free_. kFree: all were free in the last pass, and none has been taken
  /// since. Blocks are given back when their group is free in two passes running: what a program needs again in each cycle
  /// stays.
  enum class GroupState : std::uint8_t { kInUse, kFree, kGivenBack };

  // All under lock_.
  BlockIndex take_free_run(std::uint32_t blocks, bool given_back_too);
  std::uint64_t free_word(std::size_t word, bool given_back_too) const;
  bool grow(std::uint32_t blocks);
  bool grow_for(std::uint32_t blocks);
  void set_free(BlockIndex first, std::uint32_t blocks, bool free);
  void set_given_back(std::size_t group);
  void make_free(std::size_t given_back_group);
  bool claim_for_trim(std::size_t group);
  BlockIndex claim_unready();

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
  std::vector<std::uint64_t> free_;           // guarded by lock_: bit b set: block b below used_ is free and ready
  std::size_t search_from_ = 0;               // guarded by lock_: word of free_ below which no bit is set
  std::vector<GroupState> groups_;            // guarded by lock_
  std::uint64_t trim_keeps_ = 0;              // guarded by lock_: groups that this pass is still to leave ready
  std::uint64_t in_hand_ = 0;                 // guarded by lock_: groups that make_ready() or a trim has taken
  std::uint64_t limit_ = UINT64_MAX;          // blocks; set by reserve()
  std::atomic<std::uint64_t> ready_{0};       // written under lock_: bits set in free_
  std::atomic<std::uint64_t> given_back_{0};  // written under lock_: groups
  std::atomic<std::uint64_t> retained_{0};    // blocks
  std::atomic<std::size_t> trim_next_{0};
  std::atomic<std::size_t> trim_end_{0};
};

/// The heap's region; reserved while the runtime runs.
extern Region region;

}  // namespace tandem::gc
