#include "gc/conservative_scan.h"

#include "gc/marker.h"
#include "gc/region.h"

namespace tandem::gc {

bool leads_to_object(std::uintptr_t word) {
  if (!region.contains(reinterpret_cast<const void*>(word))) return false;
  BlockIndex index = region.index_of(reinterpret_cast<const void*>(word));
  if (index >= region.used()) return false;
  BlockKind kind = published_kind(region.block(index));
  if (kind == BlockKind::kLargeTail) {
    index = region.block(index).head;
    kind = published_kind(region.block(index));
  }
  if (kind == BlockKind::kLarge) return true;
  if (kind != BlockKind::kCells) return false;
  const CellRef cell = cell_of(word);
  if (cell.index >= region.block(cell.block).cells) return false;  // what is left at the end of the block
  return __atomic_load_n(&region.allocated(cell.block)[cell.index / 64], __ATOMIC_RELAXED) >> (cell.index % 64) & 1;
}

TANDEM_RAW_SCAN void scan_words_for_references(std::uintptr_t from, std::uintptr_t to, FoundRoot found, void* context) {
  for (std::uintptr_t address = from; address < to; address += 8) {
    const std::uintptr_t word = *reinterpret_cast<const volatile std::uintptr_t*>(address);
    if (leads_to_object(word)) found(context, word);
  }
}

}  // namespace tandem::gc
