#pragma once
// mark_order = block: what is grey is remembered by block, and all grey objects of a block are scanned together, in the order of
// their addresses (Go's Green Tea collector, 2025). A cell is grey when it is marked but not `scanned`. A block is queued once,
// when its first cell becomes grey, and not again before it has been taken off the queue.
//
// No grey cell is missed: who marks a cell sets the mark, then swaps `queued` to true; who takes a block swaps it to false, then
// reads the marks. Either the swap of the first finds false, and the block is queued once more; or it comes before
// the swap of the second, which then acquires the mark. Two workers may scan one block at a time; who sets the bit
// in `scanned` scans the cell.

#include <atomic>
#include <cstdint>

#include "gc/block.h"

namespace tandem::gc {

class GreyBlocks {
 public:
  /// Reserves the two tables for so many blocks; throws std::bad_alloc. / Gives them back.
  void reserve(std::size_t blocks);
  void release();
  bool in_use() const { return scanned_ != nullptr; }

  /// A cell of the block has been marked. True: the caller queues the block.
  bool must_queue(BlockIndex block) { return !queued_[block].exchange(true, std::memory_order_acq_rel); }
  /// The block has been taken off the queue; before its marks are read.
  void taken(BlockIndex block) { queued_[block].exchange(false, std::memory_order_acq_rel); }
  /// Of the cells `marked` of one word, those that the caller is to scan.
  std::uint64_t claim(BlockIndex block, std::uint32_t word, std::uint64_t marked) {
    std::atomic<std::uint64_t>& scanned = scanned_[std::size_t{block} * kBitmapWords + word];
    const std::uint64_t grey = marked & ~scanned.load(std::memory_order_relaxed);
    return grey == 0 ? 0 : grey & ~scanned.fetch_or(grey, std::memory_order_acq_rel);
  }

  /// Cells are marked without having to be scanned (allocation while marking); before their marks are set. Nothing when
  /// marking goes by another order.
  void allocated_black(BlockIndex block, std::uint32_t word, std::uint64_t cells) {
    if (in_use()) scanned_[std::size_t{block} * kBitmapWords + word].fetch_or(cells, std::memory_order_acq_rel);
  }
  /// With the marks of these blocks.
  void clear(BlockIndex first, std::uint32_t blocks);

 private:
  std::size_t blocks_ = 0;
  std::atomic<std::uint64_t>* scanned_ = nullptr;
  std::atomic<bool>* queued_ = nullptr;
};

extern GreyBlocks grey_blocks;

}  // namespace tandem::gc
