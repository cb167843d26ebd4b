#pragma once
// Geometry of the heap and the descriptor of a block. There are no object headers: an address gives its block, the block's
// descriptor the size and the pattern of its cells, one multiplication the cell.

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "gc/pattern.h"
#include "tandem/detail/size_class.h"

namespace tandem::gc {

using detail::kBlockBytes;
inline constexpr unsigned kBlockShift = 16;
static_assert(std::size_t{1} << kBlockShift == kBlockBytes);

using BlockIndex = std::uint32_t;
inline constexpr std::size_t kCellsPerBlockMax = kBlockBytes / detail::kCellAlignment;
inline constexpr std::size_t kBitmapWords = kCellsPerBlockMax / 64;  // 64 words, 512 bytes a block and bitmap

enum class BlockKind : std::uint8_t {
  kFree,
  kCells,      // cells of one layout
  kLarge,      // first block of a large object
  kLargeTail,  // further block of it
};

/// Written when the block is laid out or freed, under exclusive ownership; read by markers without synchronisation of its
/// own: they only reach it through references to objects that were made after the layout was published.
struct alignas(64) Block {
  BlockKind kind = BlockKind::kFree;
  bool leaf = true;              // nothing to scan in its cells
  std::uint32_t cell_bytes = 0;  // kLarge: 0
  std::uint32_t cells = 0;
  std::uint32_t inverse = 0;  // ceil(2^32 / cell_bytes): cell = offset * inverse >> 32, exact below 64 KiB
  std::uint32_t layout = 0;
  std::uint32_t head = 0;  // kLargeTail: index of the first block
  const Pattern* pattern = nullptr;
  std::uint64_t object_bytes = 0;  // cell_bytes, or the size of the large object
  std::uint64_t swept_cycle = 0;   // marks up to this cycle have been taken over into `allocated`
};

/// A block's kind is published last, and a conservative scan may ask for it at any time (conservative_scan.h).
inline void publish_kind(Block& block, BlockKind kind) {
  std::atomic_ref(block.kind).store(kind, std::memory_order_release);
}
inline BlockKind published_kind(Block& block) { return std::atomic_ref(block.kind).load(std::memory_order_acquire); }

}  // namespace tandem::gc
