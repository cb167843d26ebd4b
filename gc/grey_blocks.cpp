#include "gc/grey_blocks.h"

#include <cstring>
#include <new>

#include "runtime/base/os_memory.h"

namespace tandem::gc {

GreyBlocks grey_blocks;

void GreyBlocks::reserve(std::size_t blocks) {
  blocks_ = blocks;
  const auto table = [](std::size_t bytes) {
    std::byte* const memory = base::reserve(bytes, base::page_bytes(), base::Access::read_write);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
  };
  scanned_ = reinterpret_cast<std::atomic<std::uint64_t>*>(table(blocks * kBitmapWords * 8));
  queued_ = reinterpret_cast<std::atomic<bool>*>(table(blocks));
}

void GreyBlocks::release() {
  if (scanned_ != nullptr) base::release(reinterpret_cast<std::byte*>(scanned_), blocks_ * kBitmapWords * 8);
  if (queued_ != nullptr) base::release(reinterpret_cast<std::byte*>(queued_), blocks_);
  scanned_ = nullptr;
  queued_ = nullptr;
}

void GreyBlocks::clear(BlockIndex first, std::uint32_t blocks) {
  if (!in_use()) return;
  std::memset(static_cast<void*>(scanned_ + std::size_t{first} * kBitmapWords), 0,
              std::size_t{blocks} * kBitmapWords * 8);
  std::memset(static_cast<void*>(queued_ + first), 0, blocks);
}

}  // namespace tandem::gc
