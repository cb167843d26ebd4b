#include "gc/mark_clearing.h"

#include <algorithm>
#include <cstring>

#include "gc/grey_blocks.h"
#include "gc/region.h"

namespace tandem::gc {

MarkClearing mark_clearing;

namespace {
/// Blocks whose mark bits are cleared at a time: 512 KiB of bitmap, some 30 us.
constexpr std::uint32_t kBlocksPerPiece = 1024;
}  // namespace

std::size_t MarkClearing::pieces() { return region.used() / kBlocksPerPiece; }

MarkClearing::Step MarkClearing::step() {
  prepare();
  const std::uint32_t blocks = blocks_.load(std::memory_order_acquire) - 1;
  const std::uint32_t first = next_.fetch_add(kBlocksPerPiece, std::memory_order_relaxed);
  if (first >= blocks && first != 0) return Step::kNothing;
  const std::uint32_t count = std::min(kBlocksPerPiece, blocks - first);
  if (count != 0) {
    std::memset(static_cast<void*>(region.marks(first)), 0, std::size_t{count} * kBitmapWords * 8);
    grey_blocks.clear(first, count);
  }
  // Acquire-release: the last one sees all bits clear. An empty region has one empty piece.
  const std::uint32_t counted = std::max(count, 1U);
  const std::uint32_t done = done_.fetch_add(counted, std::memory_order_acq_rel) + counted;
  return done >= std::max(blocks, 1U) ? Step::kLast : Step::kSome;
}

void MarkClearing::prepare() {
  if (blocks_.load(std::memory_order_acquire) != 0) return;
  std::uint32_t unprepared = 0;
  blocks_.compare_exchange_strong(unprepared, region.used() + 1, std::memory_order_acq_rel);
}

void MarkClearing::forget() {
  next_.store(0, std::memory_order_relaxed);
  done_.store(0, std::memory_order_relaxed);
  blocks_.store(0, std::memory_order_relaxed);
}

}  // namespace tandem::gc
