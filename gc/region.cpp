#include "gc/region.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <mutex>
#include <new>

#include "gc/counters.h"
#include "gc/grey_blocks.h"
#include "runtime/base/os_memory.h"

namespace tandem::gc {

Region region;

namespace {

constexpr std::size_t kBytesMin = std::size_t{1} << 30;
/// The region grows by huge pages: 2 MiB, 32 blocks.
constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;
/// Runs of at least so many freed blocks are given back to the system at once (1 MiB).
constexpr std::uint32_t kDecommitBlocks = 16;

template <class T>
T* reserve_table(std::size_t entries) {
  auto* table = base::reserve(entries * sizeof(T), kHugePageBytes, base::Access::read_write);
  return reinterpret_cast<T*>(table);
}

template <class T>
void release_table(T*& table, std::size_t entries) {
  if (table) base::release(reinterpret_cast<std::byte*>(table), entries * sizeof(T));
  table = nullptr;
}

}  // namespace

void Region::reserve(std::size_t bytes_max) {
  for (std::size_t bytes = bytes_max; bytes >= kBytesMin; bytes /= 2) {
    const std::size_t blocks = bytes >> kBlockShift;
    bytes_ = bytes;
    base_ = base::reserve(bytes_, kHugePageBytes, base::Access::read_write);
    blocks_ = reserve_table<Block>(blocks);
    marks_ = reserve_table<std::atomic<std::uint64_t>>(blocks * kBitmapWords);
    allocated_ = reserve_table<std::uint64_t>(blocks * kBitmapWords);
    constructed_ = reserve_table<std::atomic<std::uint64_t>>(blocks * kBitmapWords);
    condemned_ = reserve_table<std::atomic<std::uint64_t>>(blocks * kBitmapWords);
    if (base_ && blocks_ && marks_ && allocated_ && constructed_ && condemned_) {
      base::huge_pages(base_, bytes_);
      return;
    }
    release();
  }
  throw std::bad_alloc();
}

void Region::release() {
  const std::size_t blocks = bytes_ >> kBlockShift;
  if (base_) base::release(base_, bytes_);
  base_ = nullptr;
  release_table(blocks_, blocks);
  release_table(marks_, blocks * kBitmapWords);
  release_table(allocated_, blocks * kBitmapWords);
  release_table(constructed_, blocks * kBitmapWords);
  release_table(condemned_, blocks * kBitmapWords);
  bytes_ = 0;
  used_.store(0, std::memory_order_relaxed);
  in_use_.store(0, std::memory_order_relaxed);
  free_.clear();
  free_blocks_ = 0;
  search_from_ = 0;
  groups_.clear();
  trim_next_.store(0, std::memory_order_relaxed);
  trim_end_.store(0, std::memory_order_relaxed);
}

BlockIndex Region::take(std::uint32_t blocks) {
  const std::lock_guard guard(lock_);
  BlockIndex first = take_free_run(blocks);
  if (first == kNoBlock) {
    const BlockIndex used = used_.load(std::memory_order_relaxed);
    if (blocks > (bytes_ >> kBlockShift) - used) return kNoBlock;
    first = used;
    free_.resize((used + blocks + 63) / 64);
    groups_.resize((used + blocks + kGroupBlocks - 1) / kGroupBlocks);
    used_.store(used + blocks, std::memory_order_release);
  }
  in_use_.fetch_add(blocks, std::memory_order_relaxed);
  return first;
}

// First fit over the bitmap of free blocks: freed neighbours merge by themselves, and low addresses fill up first.
BlockIndex Region::take_free_run(std::uint32_t blocks) {
  if (free_blocks_ < blocks) return kNoBlock;
  std::size_t run = 0;
  while (search_from_ < free_.size() && free_[search_from_] == 0) ++search_from_;
  for (std::size_t bit = search_from_ * 64; bit < free_.size() * 64; ++bit) {
    if (bit % 64 == 0 && free_[bit / 64] == 0) {
      run = 0;
      bit += 63;
      continue;
    }
    run = (free_[bit / 64] >> (bit % 64) & 1) ? run + 1 : 0;
    if (run < blocks) continue;
    const std::size_t first = bit + 1 - blocks;
    set_free(static_cast<BlockIndex>(first), blocks, false);
    return static_cast<BlockIndex>(first);
  }
  return kNoBlock;
}

void Region::set_free(BlockIndex first, std::uint32_t blocks, bool free) {
  for (std::size_t b = first; b < std::size_t{first} + blocks; ++b) {
    const std::uint64_t bit = std::uint64_t{1} << (b % 64);
    free_[b / 64] = free ? free_[b / 64] | bit : free_[b / 64] & ~bit;
    groups_[b / kGroupBlocks] = GroupState::kInUse;
  }
  if (free) {
    search_from_ = std::min(search_from_, std::size_t{first} / 64);
    free_blocks_ += blocks;
  } else {
    free_blocks_ -= blocks;
  }
}

void Region::begin_trim() {
  trim_end_.store(used() / kGroupBlocks, std::memory_order_relaxed);
  trim_next_.store(0, std::memory_order_relaxed);
}

// Takes the blocks of the group as an allocation would, so that nobody else does while they are given back.
bool Region::claim_for_trim(std::size_t group) {
  const std::lock_guard guard(lock_);
  const std::uint64_t all = ((std::uint64_t{1} << kGroupBlocks) - 1) << (group * kGroupBlocks % 64);
  GroupState& state = groups_[group];
  if ((free_[group * kGroupBlocks / 64] & all) != all) {
    state = GroupState::kInUse;
    return false;
  }
  if (state != GroupState::kFree) {
    if (state == GroupState::kInUse) state = GroupState::kFree;
    return false;
  }
  set_free(static_cast<BlockIndex>(group * kGroupBlocks), kGroupBlocks, false);
  return true;
}

bool Region::trim_step() {
  for (;;) {
    const std::size_t group = trim_next_.fetch_add(1, std::memory_order_relaxed);
    if (group >= trim_end_.load(std::memory_order_relaxed)) return false;
    if (!claim_for_trim(group)) continue;
    const auto first = static_cast<BlockIndex>(group * kGroupBlocks);
    base::decommit(address_of(first), std::size_t{kGroupBlocks} << kBlockShift);
    counters.released_bytes.add(std::uint64_t{kGroupBlocks} << kBlockShift);
    const std::lock_guard guard(lock_);
    set_free(first, kGroupBlocks, true);
    groups_[group] = GroupState::kGivenBack;
    return true;
  }
}

void Region::give(BlockIndex first, std::uint32_t blocks) {
  for (BlockIndex b = first; b < first + blocks; ++b) {
    block(b) = Block{};
    std::memset(static_cast<void*>(marks(b)), 0, kBitmapWords * 8);
    std::memset(allocated(b), 0, kBitmapWords * 8);
  }
  grey_blocks.clear(first, blocks);
  if (blocks >= kDecommitBlocks) base::decommit(address_of(first), std::size_t{blocks} << kBlockShift);
  const std::lock_guard guard(lock_);
  set_free(first, blocks, true);
  in_use_.fetch_sub(blocks, std::memory_order_relaxed);
}

}  // namespace tandem::gc
