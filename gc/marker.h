#pragma once
// Marking: the mark bit of an address, shading, and the loop that scans grey objects.

#include <atomic>
#include <cstdint>

#include "gc/mark_packet.h"
#include "gc/processor_state.h"
#include "gc/region.h"

namespace tandem {
struct Options;
}

namespace tandem::gc {

/// A cell, found from any address inside it.
struct CellRef {
  BlockIndex block;
  std::uint32_t index;
};

inline CellRef cell_of(std::uintptr_t address) {
  BlockIndex index = region.index_of(reinterpret_cast<const void*>(address));
  const Block& block = region.block(index);
  if (block.kind == BlockKind::kLargeTail) [[unlikely]]
    return {block.head, 0};
  const std::uint64_t offset = address & (kBlockBytes - 1);
  return {index, static_cast<std::uint32_t>(offset * block.inverse >> 32)};
}

inline std::uintptr_t address_of(CellRef cell) {
  return reinterpret_cast<std::uintptr_t>(region.address_of(cell.block)) +
         std::uint64_t{region.block(cell.block).cell_bytes} * cell.index;
}

inline bool is_marked(CellRef cell) {
  return region.marks(cell.block)[cell.index / 64].load(std::memory_order_acquire) >> (cell.index % 64) & 1;
}

/// With one processor, and no other threads that mark, nobody else sets mark bits, and a locked instruction a mark (a third of marking a small heap) is saved.
/// Set at the start of a run.
extern bool marks_exclusively;

/// Sets the mark bit; true for the one caller that changed it. Relaxed would do for the bit alone; acquire-release orders
/// the scan of the object after the mark for the verifier's and the sanitizers' sake at no cost on x86.
[[gnu::always_inline]] inline bool try_mark(CellRef cell) {
  std::atomic<std::uint64_t>& word = region.marks(cell.block)[cell.index / 64];
  const std::uint64_t bit = std::uint64_t{1} << (cell.index % 64);
  const std::uint64_t before = word.load(std::memory_order_relaxed);
  if (before & bit) return false;
  if (marks_exclusively) {
    word.store(before | bit, std::memory_order_release);
    return true;
  }
  return !(word.fetch_or(bit, std::memory_order_acq_rel) & bit);
}

class Marker {
 public:
  /// Marks the object that contains `address` and pushes it to the processor's grey packet when that was new. The caller
  /// drives or has claimed the processor. Null is allowed.
  void shade(ProcessorState& state, std::uintptr_t address);

  /// In which order grey objects are scanned, from now on. Boot only; reserves what it needs.
  void begin_run(const Options& options);

  /// Scans grey objects until none is found or `deadline_ns` has passed. Leaves no grey object in the processor's packet.
  /// True when it scanned anything.
  bool drain(ProcessorState& state, std::uint64_t deadline_ns);

  /// Publishes the processor's grey packet if it holds anything; true if it did.
  bool publish_grey(ProcessorState& state);

  PacketPool pool;
  /// Workers inside drain(); with none and nothing published, the end of marking may be tried.
  std::atomic<std::uint32_t> active{0};

 private:
  friend class ObjectScan;
  bool drain_newest_first(ProcessorState& state, std::uint64_t deadline_ns);
  template <bool kByBlock>
  bool drain_oldest_first(ProcessorState& state, std::uint64_t deadline_ns);
  void leave_grey(ProcessorState& state, MarkPacket*& reading);
  void push(ProcessorState& state, MarkEntry entry);
  bool refill(ProcessorState& state);
  void share(ProcessorState& state);

  std::uint32_t prefetch_distance_ = 1;  // objects that are being fetched while others are scanned
  bool oldest_first_ = false;
  bool by_block_ = false;
};

extern Marker marker;

}  // namespace tandem::gc
