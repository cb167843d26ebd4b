#include "gc/sweeper.h"

#include <bit>
#include <cstring>
#include <mutex>

#include "gc/attachments.h"
#include "gc/counters.h"
#include "gc/finalizer.h"
#include "gc/marker.h"
#include "runtime/base/clock.h"
#include "runtime/seam/registry.h"
#include "tandem/runtime.h"

namespace tandem::gc {

Sweeper sweeper;

bool sweeps_in_the_stop() {
  const Options& options = *seam::registry.options;
  return options.sweep == Options::Sweep::eager && options.stop == Options::Stop::stop_the_world;
}

namespace {

constexpr int kPoison = 0xdb;

void poison(BlockIndex block, std::uint32_t word, std::uint64_t freed) {
  for (; freed != 0; freed &= freed - 1) {
    const CellRef cell{block, word * 64 + static_cast<std::uint32_t>(std::countr_zero(freed))};
    std::memset(reinterpret_cast<void*>(address_of(cell)), kPoison, region.block(block).cell_bytes);
  }
}

}  // namespace

// Order of the two bitmaps: the finaliser clears `constructed`, then `condemned` by release; here `condemned` is read first,
// by acquire. So a cell whose condemnation is seen to be over is also seen not to be constructed any more: it is freed, not
// condemned again. Returns the cells of the word that stay allocated though unmarked.
std::uint64_t Sweeper::condemn(BlockIndex block, std::uint32_t word, std::uint64_t dead) {
  const std::uint64_t waiting = region.condemned(block)[word].load(std::memory_order_acquire) & dead;
  const std::uint64_t constructed = region.constructed(block)[word].load(std::memory_order_relaxed) & dead;
  const std::uint64_t fresh = constructed & ~waiting;
  if (fresh != 0) {
    region.condemned(block)[word].fetch_or(fresh, std::memory_order_relaxed);
    for (std::uint64_t bits = fresh; bits != 0; bits &= bits - 1)
      finalizer.add(CellRef{block, word * 64 + static_cast<std::uint32_t>(std::countr_zero(bits))});
  }
  return waiting | fresh;
}

void Sweeper::detach_dead(BlockIndex block, std::uint32_t word, std::uint64_t dead) {
  for (; dead != 0; dead &= dead - 1)
    attachments.died({block, word * 64 + static_cast<std::uint32_t>(std::countr_zero(dead))});
}

bool Sweeper::condemn_all(BlockIndex index) {
  const Block& block = region.block(index);
  if ((block.kind != BlockKind::kCells && block.kind != BlockKind::kLarge) || !block.pattern->destroy) return false;
  std::uint64_t condemned = 0;
  for (std::uint32_t word = 0; word < (block.cells + 63) / 64; ++word)
    condemned |= condemn(index, word, ~std::uint64_t{0});
  return condemned != 0;
}

std::uint32_t Sweeper::sweep_cells(BlockIndex index, std::uint64_t swept_cycle) {
  Block& block = region.block(index);
  std::uint64_t* const allocated = region.allocated(index);
  std::atomic<std::uint64_t>* const marks = region.marks(index);
  const std::uint32_t words = (block.cells + 63) / 64;
  const std::lock_guard guard(attachments.lock_of(index));
  const bool attached = attachments.any_in(index);
  const bool stale = block.swept_cycle < swept_cycle;
  std::uint32_t live = 0;
  std::uint64_t freed_cells = 0;
  for (std::uint32_t word = 0; word < words; ++word) {
    if (stale) {
      const std::uint64_t marked = marks[word].load(std::memory_order_relaxed);
      const std::uint64_t dead = allocated[word] & ~marked;
      const std::uint64_t kept = block.pattern->destroy && dead != 0 ? condemn(index, word, dead) : std::uint64_t{0};
      if (attached) [[unlikely]]
        detach_dead(index, word, dead);
      const std::uint64_t freed = dead & ~kept;
      if (freed != 0 && seam::registry.options->poison_freed) [[unlikely]]
        poison(index, word, freed);
      freed_cells += static_cast<std::uint64_t>(std::popcount(freed));
      allocated[word] = marked | kept;
    }
    live += static_cast<std::uint32_t>(std::popcount(allocated[word]));
  }
  block.swept_cycle = swept_cycle;
  if (freed_cells != 0) counters.freed_bytes.add(freed_cells * block.cell_bytes);
  return live;
}

void Sweeper::put_away(Space& space, BlockIndex index, std::uint32_t allocated) {
  const Block& block = region.block(index);
  if (allocated == 0) {
    region.give(index, 1);
    return;
  }
  const std::lock_guard guard(space.lock);
  (allocated == block.cells ? space.full : space.available).push_back(index);
}

void Sweeper::count_swept() {
  // Acquire-release: who sees 0 sees all blocks swept.
  if (spaces.unswept_blocks.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  if (sweeps_in_the_stop()) seam::registry.world_stop.end();
  seam::registry.scheduler->recheck_waiters();
}

void Sweeper::sweep_large(BlockIndex head) {
  Block& block = region.block(head);
  const CellRef cell{head, 0};
  const std::lock_guard attachments_guard(attachments.lock_of(head));
  // An object made after the commit by a processor that allocated white has no mark, and a block swept "already".
  const std::uint64_t cycle = committed_cycle.load(std::memory_order_acquire);
  bool keep = is_marked(cell) || block.swept_cycle >= cycle;
  block.swept_cycle = cycle;
  if (!keep) {
    keep = block.pattern->destroy && condemn(head, 0, 1) != 0;
    attachments.died(cell);
  }
  if (keep) {
    const std::lock_guard guard(spaces.large().lock);
    spaces.large().swept.push_back(head);
  } else {
    counters.freed_bytes.add(block.object_bytes);
    const auto blocks = static_cast<std::uint32_t>((block.object_bytes + kBlockBytes - 1) >> kBlockShift);
    if (seam::registry.options->poison_freed) std::memset(region.address_of(head), kPoison, block.object_bytes);
    region.give(head, blocks);
  }
}

bool Sweeper::sweep_until(std::uint64_t deadline_ns, Counter& counter) {
  bool any = false;
  Space* space = nullptr;
  const std::uint64_t cycle = committed_cycle.load(std::memory_order_acquire);
  for (BlockIndex block; (block = spaces.take_unswept(space)) != Region::kNoBlock;) {
    any = true;
    if (space == nullptr)
      sweep_large(block);
    else
      put_away(*space, block, sweep_cells(block, cycle));
    counter.add(1);
    count_swept();
    if (base::now_ns() >= deadline_ns) break;
  }
  return any;
}

}  // namespace tandem::gc
