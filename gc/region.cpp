#include "gc/region.h"

#include <sched.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <mutex>
#include <new>

#include "gc/counters.h"
#include "gc/grey_blocks.h"
#include "runtime/base/bits.h"
#include "runtime/base/os_memory.h"

namespace tandem::gc {

Region region;

namespace {

constexpr std::size_t kBytesMin = std::size_t{1} << 30;
/// The region grows by huge pages: 2 MiB, 32 blocks.
constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;
static_assert(kHugePageBytes == Region::kGroupBlocks * kBlockBytes);
/// What large runs may leave unused, whatever is to be retained.
constexpr std::uint64_t kRetainedMinBytes = std::uint64_t{16} << 20;

constexpr std::uint64_t kGroupBits = (std::uint64_t{1} << Region::kGroupBlocks) - 1;

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

void Region::reserve(std::size_t bytes_max, bool huge_pages, std::uint64_t limit_bytes) {
  limit_ = limit_bytes == 0 ? UINT64_MAX : base::round_up(limit_bytes >> kBlockShift, std::uint64_t{kGroupBlocks});
  for (std::size_t bytes = bytes_max; bytes >= kBytesMin; bytes /= 2) {
    const std::size_t blocks = bytes >> kBlockShift;
    bytes_ = bytes;
    retained_.store(kRetainedMinBytes >> kBlockShift, std::memory_order_relaxed);
    base_ = base::reserve(bytes_, kHugePageBytes, base::Access::read_write);
    blocks_ = reserve_table<Block>(blocks);
    marks_ = reserve_table<std::atomic<std::uint64_t>>(blocks * kBitmapWords);
    allocated_ = reserve_table<std::uint64_t>(blocks * kBitmapWords);
    constructed_ = reserve_table<std::atomic<std::uint64_t>>(blocks * kBitmapWords);
    condemned_ = reserve_table<std::atomic<std::uint64_t>>(blocks * kBitmapWords);
    if (base_ && blocks_ && marks_ && allocated_ && constructed_ && condemned_) {
      huge_pages ? base::huge_pages(base_, bytes_) : base::no_huge_pages(base_, bytes_);
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
  ready_.store(0, std::memory_order_relaxed);
  given_back_.store(0, std::memory_order_relaxed);
  retained_.store(kRetainedMinBytes >> kBlockShift, std::memory_order_relaxed);
  trim_keeps_ = in_hand_ = 0;
  search_from_ = 0;
  groups_.clear();
  trim_next_.store(0, std::memory_order_relaxed);
  trim_end_.store(0, std::memory_order_relaxed);
}

BlockIndex Region::take(std::uint32_t blocks) {
  for (;; ::sched_yield()) {
    const std::lock_guard guard(lock_);
    BlockIndex first = take_free_run(blocks, false);
    // Free blocks that are in hand come back soon; to use others in their place would take memory beyond the limit.
    if (first == kNoBlock && in_hand_ != 0 && backed_blocks() + blocks > limit_) continue;
    if (first == kNoBlock && given_back_.load(std::memory_order_relaxed) != 0) first = take_free_run(blocks, true);
    if (first == kNoBlock && grow_for(blocks)) first = take_free_run(blocks, false);
    if (first != kNoBlock) in_use_.fetch_add(blocks, std::memory_order_relaxed);
    return first;
  }
}

std::uint64_t Region::free_word(std::size_t word, bool given_back_too) const {
  constexpr std::size_t kGroupsPerWord = 64 / kGroupBlocks;
  std::uint64_t free = free_[word];
  if (given_back_too)
    for (std::size_t i = 0; i < kGroupsPerWord && word * kGroupsPerWord + i < groups_.size(); ++i)
      if (groups_[word * kGroupsPerWord + i] == GroupState::kGivenBack) free |= kGroupBits << (i * kGroupBlocks);
  return free;
}

// First fit over the bitmap of free blocks: freed neighbours merge by themselves, and low addresses fill up first.
BlockIndex Region::take_free_run(std::uint32_t blocks, bool given_back_too) {
  if (!given_back_too && ready_.load(std::memory_order_relaxed) < blocks) return kNoBlock;
  std::size_t run = 0;
  while (search_from_ < free_.size() && free_[search_from_] == 0) ++search_from_;
  for (std::size_t word = given_back_too ? 0 : search_from_; word < free_.size(); ++word) {
    const std::uint64_t free = free_word(word, given_back_too);
    if (free == 0) run = 0;
    for (std::size_t bit = 0; free != 0 && bit < 64; ++bit) {
      run = (free >> bit & 1) ? run + 1 : 0;
      if (run < blocks) continue;
      const auto first = static_cast<BlockIndex>(word * 64 + bit + 1 - blocks);
      for (std::size_t group = first / kGroupBlocks; group <= (first + blocks - 1) / kGroupBlocks; ++group)
        if (groups_[group] == GroupState::kGivenBack) make_free(group);
      set_free(first, blocks, false);
      return first;
    }
  }
  return kNoBlock;
}

// By whole groups, which end up free and count as ready: who touches the first block of one pays for all.
bool Region::grow(std::uint32_t blocks) {
  const BlockIndex used = used_.load(std::memory_order_relaxed);
  if (blocks > (bytes_ >> kBlockShift) - used) return false;
  free_.resize((used + blocks + 63) / 64);
  groups_.resize((used + blocks) / kGroupBlocks);
  used_.store(used + blocks, std::memory_order_release);
  set_free(used, blocks, true);
  return true;
}

// By as much as the free blocks at the end leave missing.
bool Region::grow_for(std::uint32_t blocks) {
  const BlockIndex used = used_.load(std::memory_order_relaxed);
  std::uint32_t tail = 0;
  while (tail < std::min(blocks, used) && (free_[(used - tail - 1) / 64] >> ((used - tail - 1) % 64) & 1)) ++tail;
  return grow(base::round_up(blocks - tail, kGroupBlocks));
}

void Region::set_free(BlockIndex first, std::uint32_t blocks, bool free) {
  for (std::size_t b = first; b < std::size_t{first} + blocks; ++b) {
    const std::uint64_t bit = std::uint64_t{1} << (b % 64);
    free_[b / 64] = free ? free_[b / 64] | bit : free_[b / 64] & ~bit;
    groups_[b / kGroupBlocks] = GroupState::kInUse;
  }
  if (free) {
    search_from_ = std::min(search_from_, std::size_t{first} / 64);
    ready_.fetch_add(blocks, std::memory_order_relaxed);
  } else {
    ready_.fetch_sub(blocks, std::memory_order_relaxed);
  }
}

void Region::set_given_back(std::size_t group) {
  groups_[group] = GroupState::kGivenBack;
  given_back_.fetch_add(1, std::memory_order_relaxed);
}

void Region::make_free(std::size_t given_back_group) {
  given_back_.fetch_sub(1, std::memory_order_relaxed);
  set_free(static_cast<BlockIndex>(given_back_group * kGroupBlocks), kGroupBlocks, true);
}

// The lowest group that was given back, or a new one; taken as an allocation would, so that nobody else has its blocks while
// the system clears their memory.
BlockIndex Region::claim_unready() {
  const std::lock_guard guard(lock_);
  if (backed_blocks() + kGroupBlocks > limit_) return kNoBlock;
  BlockIndex first = used_.load(std::memory_order_relaxed);
  if (given_back_.load(std::memory_order_relaxed) != 0) {
    const auto lowest = std::find(groups_.begin(), groups_.end(), GroupState::kGivenBack) - groups_.begin();
    make_free(static_cast<std::size_t>(lowest));
    first = static_cast<BlockIndex>(lowest) * kGroupBlocks;
  } else if (!grow(kGroupBlocks)) {
    return kNoBlock;
  }
  set_free(first, kGroupBlocks, false);
  ++in_hand_;
  return first;
}

bool Region::make_ready() {
  const BlockIndex first = claim_unready();
  if (first == kNoBlock) return false;
  const bool ready = base::populate(address_of(first), kHugePageBytes);
  if (ready && base::page_bytes() <= kGroupBlocks * kBitmapWords * 8) {
    // Not written to: the marks of blocks that nobody uses are cleared with the others' (mark_clearing.h).
    base::prefault(reinterpret_cast<std::byte*>(allocated(first)), kGroupBlocks * kBitmapWords * 8);
    base::prefault(reinterpret_cast<std::byte*>(marks(first)), kGroupBlocks * kBitmapWords * 8);
  }
  if (!ready) base::decommit(address_of(first), kHugePageBytes);
  const std::lock_guard guard(lock_);
  --in_hand_;
  ready ? set_free(first, kGroupBlocks, true) : set_given_back(first / kGroupBlocks);
  if (ready) counters.populated_bytes.add(kHugePageBytes);
  return ready;
}

void Region::begin_trim(std::uint64_t retained_bytes, std::uint64_t ready_blocks) {
  retained_.store(std::max(retained_bytes, kRetainedMinBytes) >> kBlockShift, std::memory_order_relaxed);
  const std::lock_guard guard(lock_);
  trim_keeps_ = ready_blocks / kGroupBlocks;
  trim_end_.store(used() / kGroupBlocks, std::memory_order_relaxed);
  trim_next_.store(0, std::memory_order_relaxed);
}

// Takes the blocks of the group as an allocation would, so that nobody else does while they are given back.
bool Region::claim_for_trim(std::size_t group) {
  const std::lock_guard guard(lock_);
  GroupState& state = groups_[group];
  if (state == GroupState::kGivenBack) return false;
  const std::uint64_t all = kGroupBits << (group * kGroupBlocks % 64);
  if ((free_[group * kGroupBlocks / 64] & all) != all) {
    state = GroupState::kInUse;
    return false;
  }
  if (state == GroupState::kInUse) {
    state = GroupState::kFree;
    return false;
  }
  if (trim_keeps_ != 0) {
    --trim_keeps_;
    return false;
  }
  set_free(static_cast<BlockIndex>(group * kGroupBlocks), kGroupBlocks, false);
  ++in_hand_;
  return true;
}

bool Region::trim_step() {
  for (;;) {
    const std::size_t group = trim_next_.fetch_add(1, std::memory_order_relaxed);
    if (group >= trim_end_.load(std::memory_order_relaxed)) return false;
    if (!claim_for_trim(group)) continue;
    base::decommit(address_of(static_cast<BlockIndex>(group * kGroupBlocks)), kHugePageBytes);
    counters.released_bytes.add(kHugePageBytes);
    const std::lock_guard guard(lock_);
    --in_hand_;
    set_given_back(group);
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
  // Whole groups only: half a huge page that is given back comes again in small pages.
  BlockIndex begin = base::round_up(first, kGroupBlocks);
  BlockIndex end = (first + blocks) / kGroupBlocks * kGroupBlocks;
  if (begin >= end || backed_blocks() <= retained_.load(std::memory_order_relaxed)) begin = end = first + blocks;
  if (begin != end) {
    base::decommit(address_of(begin), std::size_t{end - begin} << kBlockShift);
    counters.released_bytes.add(std::uint64_t{end - begin} << kBlockShift);
  }
  const std::lock_guard guard(lock_);
  set_free(first, begin - first, true);
  for (BlockIndex b = begin; b < end; b += kGroupBlocks) set_given_back(b / kGroupBlocks);
  set_free(end, first + blocks - end, true);
  in_use_.fetch_sub(blocks, std::memory_order_relaxed);
}

}  // namespace tandem::gc
