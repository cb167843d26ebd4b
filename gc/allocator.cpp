#include "gc/allocator.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <mutex>
#include <new>

#include "gc/counters.h"
#include "gc/grey_blocks.h"
#include "gc/marker.h"
#include "gc/memory_ahead.h"
#include "gc/pacer.h"
#include "gc/sweeper.h"
#include "runtime/base/os_memory.h"
#include "runtime/seam/registry.h"
#include "runtime/seam/safepoint.h"
#include "runtime/seam/trace.h"
#include "tandem/runtime.h"

namespace tandem::gc {

Allocator allocator;

namespace {

constexpr std::size_t kLayouts = std::size_t{detail::kMaxPatterns} * detail::kSizeClasses;

std::uint64_t cells_in_word(const Block& block, std::uint32_t word) {
  const std::uint32_t left = block.cells - word * 64;
  return left >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << left) - 1;
}

std::uint32_t blocks_of(std::size_t bytes) {
  return static_cast<std::uint32_t>((bytes + kBlockBytes - 1) >> kBlockShift);
}

}  // namespace

void Allocator::attach(seam::Processor& processor) {
  auto* windows =
      base::reserve(kLayouts * sizeof(detail::AllocationWindow), base::page_bytes(), base::Access::read_write);
  auto* current = static_cast<CurrentBlock*>(nullptr);
  if (windows) {
    auto* memory = base::reserve(kLayouts * sizeof(CurrentBlock), base::page_bytes(), base::Access::read_write);
    current = reinterpret_cast<CurrentBlock*>(memory);
  }
  if (!windows || !current) throw std::bad_alloc();
  processor.windows = reinterpret_cast<detail::AllocationWindow*>(windows);
  processor.gc = new ProcessorState;
  processor.gc->current = current;
}

void Allocator::detach(seam::Processor& processor) {
  base::release(reinterpret_cast<std::byte*>(processor.windows), kLayouts * sizeof(detail::AllocationWindow));
  base::release(reinterpret_cast<std::byte*>(processor.gc->current), kLayouts * sizeof(CurrentBlock));
  delete processor.gc;
  processor.gc = nullptr;
  processor.windows = nullptr;
}

bool Allocator::refill(seam::Processor& processor, detail::LayoutNumber layout) {
  ProcessorState& state = state_of(processor);
  CurrentBlock& current = state.current[layout];
  while (!current.held() || !next_window(processor, layout)) {
    if (current.held()) {
      Space& space = spaces.at(layout);
      const std::lock_guard guard(space.lock);
      space.full.push_back(current.block());
    } else {
      state.active_layouts.push_back(layout);
    }
    const BlockIndex block = acquire_block(processor, layout);
    if (block == Region::kNoBlock) {
      current = CurrentBlock{};
      std::erase(state.active_layouts, layout);
      return false;
    }
    current = CurrentBlock::of(block);
  }
  return true;
}

bool Allocator::next_window(seam::Processor& processor, detail::LayoutNumber layout) {
  ProcessorState& state = state_of(processor);
  CurrentBlock& current = state.current[layout];
  const BlockIndex index = current.block();
  const Block& block = region.block(index);
  const std::uint32_t words = (block.cells + 63) / 64;
  std::uint64_t* const allocated = region.allocated(index);
  for (; current.next_word < words; ++current.next_word) {
    const std::uint32_t word = current.next_word;
    std::uint64_t free = ~allocated[word] & cells_in_word(block, word);
    if (free == 0) continue;
    if (seam::registry.options->collect_every != 0) [[unlikely]]
      free &= ~free + 1;  // one cell at a time: every allocation comes by here
    else
      ++current.next_word;
    // Atomic: a conservative scan of a stack may look (conservative_scan.h).
    __atomic_store_n(&allocated[word], allocated[word] | free, __ATOMIC_RELAXED);
    const auto bytes = static_cast<std::uint64_t>(std::popcount(free)) * block.cell_bytes;
    if (processor.allocate_black) {
      grey_blocks.allocated_black(index, word, free);
      region.marks(index)[word].fetch_or(free, std::memory_order_relaxed);
      state.black_bytes += bytes;
    }
    current.window_word = word;
    processor.windows[layout] = {free, region.address_of(index) + std::size_t{word} * 64 * block.cell_bytes};
    counters.allocated_bytes.add(bytes);
    counters.allocated_objects.add(static_cast<std::uint64_t>(std::popcount(free)));
    return true;
  }
  return false;
}

BlockIndex Allocator::acquire_block(seam::Processor& processor, detail::LayoutNumber layout) {
  seam::trace(processor, seam::TraceKind::kHeapBytes, 0, pacer.heap_now());
  Space& space = spaces.at(layout);
  const std::uint64_t committed = sweeper.committed_cycle.load(std::memory_order_acquire);
  BlockIndex block = Region::kNoBlock;
  bool stale = false;
  {
    const std::lock_guard guard(space.lock);
    if (!space.available.empty()) {
      block = space.available.back();
      space.available.pop_back();
      // Between the commit and the end of handshake 4 the block may have marks that nobody has taken over. A processor that
      // allocates white must do it first; one that still allocates black does it when it acknowledges.
      stale = !processor.allocate_black && region.block(block).swept_cycle < committed;
      // The handshake may end before that is done. So the block counts as unswept: added under the lock that
      // all_to_unswept() takes when the cycle is over, it keeps the next one from clearing the marks until count_swept().
      if (stale) spaces.unswept_blocks.fetch_add(1, std::memory_order_relaxed);
    }
  }
  if (stale) {
    sweeper.sweep_cells(block, committed);
    counters.blocks_swept_on_allocation.add(1);
    sweeper.count_swept();
  }
  if (block != Region::kNoBlock) return block;
  const seam::TraceSpan span(processor);
  const bool any_unswept = !sweeper.finished();
  block = acquire_unswept(space);
  if (any_unswept) span.end(processor, seam::TraceKind::kSweep);
  return block != Region::kNoBlock ? block : lay_out_new(layout);
}

// Sweeps blocks of the layout until one has room; bounded, so that an allocation does not sweep a whole heap of full ones.
BlockIndex Allocator::acquire_unswept(Space& space) {
  constexpr int kBlocksPerRefill = 16;
  if (seam::registry.options->sweep == Options::Sweep::eager) return Region::kNoBlock;
  for (int tries = 0; tries < kBlocksPerRefill; ++tries) {
    BlockIndex block;
    {
      const std::lock_guard guard(space.lock);
      if (space.unswept.empty()) return Region::kNoBlock;
      block = space.unswept.back();
      space.unswept.pop_back();
    }
    const std::uint32_t allocated = sweeper.sweep_cells(block, sweeper.committed_cycle.load(std::memory_order_acquire));
    counters.blocks_swept_on_allocation.add(1);
    const bool full = allocated == region.block(block).cells;
    if (full) sweeper.put_away(space, block, allocated);
    sweeper.count_swept();
    if (!full) return block;
  }
  return Region::kNoBlock;
}

bool Allocator::room_for(std::uint64_t blocks) const {
  const std::uint64_t limit = seam::registry.options->memory_limit;
  return limit == 0 || (region.blocks_in_use() + blocks) * kBlockBytes <= limit;
}

BlockIndex Allocator::lay_out_new(detail::LayoutNumber layout) {
  if (!room_for(1)) return Region::kNoBlock;
  const BlockIndex index = region.take(1);
  if (index == Region::kNoBlock) return index;
  memory_ahead.blocks_taken();
  Block& block = region.block(index);
  block.cell_bytes = detail::kCellBytes[layout % detail::kSizeClasses];
  block.cells = static_cast<std::uint32_t>(kBlockBytes / block.cell_bytes);
  block.inverse = static_cast<std::uint32_t>(((std::uint64_t{1} << 32) + block.cell_bytes - 1) / block.cell_bytes);
  block.layout = layout;
  block.object_bytes = block.cell_bytes;
  block.pattern = &pattern_at(layout / detail::kSizeClasses);
  block.leaf = block.pattern->leaf();
  block.swept_cycle = sweeper.committed_cycle.load(std::memory_order_acquire);
  publish_kind(block, BlockKind::kCells);
  counters.heap_bytes.set(region.blocks_in_use() * kBlockBytes);
  return index;
}

// Clearing takes seconds for the largest objects (most of it is the kernel's, which finds the memory): no handshake waits for
// that. At the polls the goroutine may go on on another processor, so none is known in here; whole cycles may pass. The blocks
// are ours all the while: taken out of the region, of kind kFree, in no space's list and with clear bitmaps. So nobody marks,
// sweeps or trims them, no reference leads to them, and a conservative scan passes them over.
BlockIndex Allocator::take_cleared(std::size_t bytes) {
  constexpr std::size_t kBetweenPollsBytes = std::size_t{1} << 20;
  const std::uint32_t blocks = blocks_of(bytes);
  if (!room_for(blocks)) return Region::kNoBlock;
  const BlockIndex head = region.take(blocks);
  if (head == Region::kNoBlock) return head;
  memory_ahead.blocks_taken();
  std::byte* const memory = region.address_of(head);
  for (std::size_t cleared = 0; cleared < bytes;) {
    if (cleared != 0) seam::poll();
    const std::size_t piece = std::min(bytes - cleared, kBetweenPollsBytes);
    std::memset(memory + cleared, 0, piece);
    cleared += piece;
  }
  return head;
}

void* Allocator::lay_out_large(seam::Processor& processor, const Pattern& pattern, BlockIndex head, std::size_t bytes) {
  const std::uint32_t blocks = blocks_of(bytes);
  for (std::uint32_t i = 1; i < blocks; ++i) {
    region.block(head + i).head = head;
    publish_kind(region.block(head + i), BlockKind::kLargeTail);
  }
  Block& block = region.block(head);
  block.cells = 1;
  block.pattern = &pattern;
  block.leaf = pattern.leaf();
  block.object_bytes = bytes;
  block.swept_cycle = sweeper.committed_cycle.load(std::memory_order_acquire);
  region.allocated(head)[0] = 1;
  publish_kind(block, BlockKind::kLarge);
  if (processor.allocate_black) {
    try_mark({head, 0});
    state_of(processor).black_bytes += bytes;
  }
  const std::lock_guard guard(spaces.large().lock);
  spaces.large().swept.push_back(head);
  counters.allocated_bytes.add(bytes);
  counters.allocated_objects.add(1);
  counters.heap_bytes.set(region.blocks_in_use() * kBlockBytes);
  return region.address_of(head);
}

void Allocator::blacken_windows(seam::Processor& processor) {
  ProcessorState& state = state_of(processor);
  for (const detail::LayoutNumber layout : state.active_layouts) {
    const std::uint64_t free = processor.windows[layout].free_cells;
    const CurrentBlock& current = state.current[layout];
    if (free == 0 || !current.held()) continue;
    grey_blocks.allocated_black(current.block(), current.window_word, free);
    region.marks(current.block())[current.window_word].fetch_or(free, std::memory_order_relaxed);
    state.black_bytes += static_cast<std::uint64_t>(std::popcount(free)) * region.block(current.block()).cell_bytes;
  }
}

void Allocator::sweep_current_blocks(seam::Processor& processor) {
  ProcessorState& state = state_of(processor);
  const std::uint64_t cycle = sweeper.committed_cycle.load(std::memory_order_acquire);
  for (const detail::LayoutNumber layout : state.active_layouts) {
    CurrentBlock& current = state.current[layout];
    if (!current.held()) continue;
    // What is left in the window is marked, so it stays allocated: the window keeps it.
    sweeper.sweep_cells(current.block(), cycle);
    current.next_word = 0;
  }
}

}  // namespace tandem::gc
