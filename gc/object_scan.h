#pragma once
// What is done with one grey object: its references are read, and what they lead to is marked and becomes grey. `kByBlock`: what
// is grey is queued by block (grey_blocks.h) instead of one by one.
//
// Inline, because this is the innermost loop of marking; for marker.cpp only.

#include <algorithm>
#include <bit>
#include <cstdint>

#include "gc/grey_blocks.h"
#include "gc/marker.h"

namespace tandem::gc {

/// A large object is scanned in slices of so many bytes, so that it can be shared and a quantum ends in time.
inline constexpr std::uintptr_t kSliceBytes = 32 * 1024;

inline std::uintptr_t load_reference(std::uintptr_t slot) {
  // Acquire: pairs with the release of the store that published the object, whose fields are read next.
  return __atomic_load_n(reinterpret_cast<const std::uintptr_t*>(slot), __ATOMIC_ACQUIRE);
}

[[gnu::always_inline]] inline void Marker::push(ProcessorState& state, MarkEntry entry) {
  if (state.grey->full()) [[unlikely]]
    publish_grey(state);
  MarkPacket* const packet = state.grey;
  packet->entries[packet->count++] = entry;
}

class ObjectScan {
 public:
  ObjectScan(Marker& by, ProcessorState& state) : marker_(by), state_(state) {}

  /// Marks the object that contains `address`, not null, and queues it if there is something in it to scan. True if new.
  template <bool kByBlock>
  [[gnu::always_inline]] bool mark(std::uintptr_t address) {
    const CellRef cell = cell_of(address);
    if (!try_mark(cell)) return false;
    const Block& block = region.block(cell.block);
    state_.marked_bytes += block.object_bytes;
    ++state_.marked_objects;
    if (block.leaf) return true;
    if constexpr (kByBlock)
      if (block.kind == BlockKind::kCells) {
        if (grey_blocks.must_queue(cell.block))
          marker_.push(state_, reinterpret_cast<std::uintptr_t>(region.address_of(cell.block)) | kBlockBit);
        return true;
      }
    marker_.push(state_, address_of(cell));
    return true;
  }

  /// Scans what one entry of a packet stands for.
  template <bool kByBlock>
  [[gnu::always_inline]] void scan(MarkEntry entry) {
    const std::uintptr_t address = entry & ~(kSliceBit | kBlockBit);
    const BlockIndex index = region.index_of(reinterpret_cast<const void*>(address));
    const Block& block = region.block(index);
    if (block.kind != BlockKind::kCells) [[unlikely]]
      return scan_large<kByBlock>(address, block.kind == BlockKind::kLargeTail ? block.head : index);
    if constexpr (kByBlock)
      scan_block(index);
    else
      scan_cell<false>(address, block);
  }

 private:
  template <bool kByBlock>
  [[gnu::always_inline]] void scan_cell(std::uintptr_t address, const Block& block) {
    const Pattern& pattern = *block.pattern;
    if (pattern.stride != 0)
      scan_elements<kByBlock>(address + pattern.first, address + block.cell_bytes, pattern);
    else if (pattern.bitmap_complete) [[likely]]
      scan_words<kByBlock>(address, pattern.bitmap);
    else
      scan_offsets<kByBlock>(address, pattern);
  }

  void scan_block(BlockIndex index) {
    grey_blocks.taken(index);
    const Block& block = region.block(index);
    const auto base = reinterpret_cast<std::uintptr_t>(region.address_of(index));
    for (std::uint32_t word = 0; word < (block.cells + 63) / 64; ++word) {
      const std::uint64_t marked = region.marks(index)[word].load(std::memory_order_acquire);
      for (std::uint64_t grey = grey_blocks.claim(index, word, marked); grey != 0; grey &= grey - 1) {
        const std::uint64_t cell = word * 64 + static_cast<unsigned>(std::countr_zero(grey));
        scan_cell<true>(base + cell * block.cell_bytes, block);
      }
    }
  }

  template <bool kByBlock>
  [[gnu::always_inline]] void scan_words(std::uintptr_t object, std::uint64_t bitmap) {
    for (; bitmap != 0; bitmap &= bitmap - 1) {
      const std::uintptr_t child = load_reference(object + 8 * static_cast<unsigned>(std::countr_zero(bitmap)));
      if (child != 0) mark<kByBlock>(child);
    }
  }

  template <bool kByBlock>
  [[gnu::noinline]] void scan_offsets(std::uintptr_t object, const Pattern& pattern) {
    for (const std::uint32_t offset : pattern.offsets)
      if (const std::uintptr_t child = load_reference(object + offset)) mark<kByBlock>(child);
  }

  // Elements that begin in [from, end); whole ones only, since a cell may end in a fraction of one.
  template <bool kByBlock>
  [[gnu::noinline]] void scan_elements(std::uintptr_t from, std::uintptr_t end, const Pattern& pattern) {
    for (std::uintptr_t element = from; element + pattern.stride <= end; element += pattern.stride)
      if (pattern.bitmap_complete)
        scan_words<kByBlock>(element, pattern.bitmap);
      else
        scan_offsets<kByBlock>(element, pattern);
  }

  // Scans one slice from `from` on and queues the rest as the next slice, first, so that another worker can take it.
  template <bool kByBlock>
  [[gnu::noinline]] void scan_large(std::uintptr_t from, BlockIndex head) {
    const Block& block = region.block(head);
    const Pattern& pattern = *block.pattern;
    const auto object = reinterpret_cast<std::uintptr_t>(region.address_of(head));
    const std::uintptr_t end = object + block.object_bytes;
    if (pattern.stride == 0) return scan_offsets<kByBlock>(object, pattern);
    const std::uintptr_t first = from == object ? object + pattern.first : from;
    const std::uintptr_t per_slice = std::max<std::uintptr_t>(kSliceBytes / pattern.stride, 1) * pattern.stride;
    const std::uintptr_t next = first + per_slice;
    // Slices start at elements, hence at multiples of 8: the tag bit is free.
    if (next < end) marker_.push(state_, next | kSliceBit);
    scan_elements<kByBlock>(first, std::min(next, end), pattern);
  }

  Marker& marker_;
  ProcessorState& state_;
};

}  // namespace tandem::gc
