#include "gc/marker.h"

#include <bit>

#include "gc/counters.h"
#include "runtime/base/clock.h"

namespace tandem::gc {

Marker marker;

namespace {

/// Objects whose first line is being fetched while others are scanned: 4x on a shuffled heap, and more than 16 loses on
/// orderly ones.
constexpr std::size_t kPrefetchDistance = 16;
/// Objects between two looks at the clock and at who is hungry: some 5 to 20 us.
constexpr std::uint32_t kObjectsPerCheck = 128;
/// A large object is scanned in slices of so many bytes, so that it can be shared and a quantum ends in time.
constexpr std::uintptr_t kSliceBytes = 32 * 1024;
/// A packet is worth halving for a hungry worker when it holds at least so many objects.
constexpr std::uint32_t kShareMin = 32;

std::uintptr_t load_reference(std::uintptr_t slot) {
  // Acquire: pairs with the release of the store that published the object, whose fields are read next.
  return __atomic_load_n(reinterpret_cast<const std::uintptr_t*>(slot), __ATOMIC_ACQUIRE);
}

}  // namespace

void Marker::push(ProcessorState& state, MarkEntry entry) {
  MarkPacket* packet = state.grey;
  if (packet->full()) [[unlikely]] {
    publish_grey(state);
    packet = state.grey;
  }
  packet->entries[packet->count++] = entry;
}

bool Marker::publish_grey(ProcessorState& state) {
  if (state.grey->count == 0) return false;
  MarkPacket* empty = pool.take_empty();
  pool.publish(state.grey);
  state.grey = empty;
  state.count_activity();
  return true;
}

bool Marker::refill(ProcessorState& state) {
  MarkPacket* packet = pool.take_published();
  if (packet == nullptr) return false;
  state.count_activity();
  pool.give_empty(state.grey);
  state.grey = packet;
  return true;
}

void Marker::share(ProcessorState& state) {
  MarkPacket* packet = state.grey;
  if (packet->count < kShareMin || pool.any_published()) return;
  // The older half: nearer to the roots, so likely the larger part of the work.
  MarkPacket* half = pool.take_empty();
  half->count = packet->count / 2;
  packet->count -= half->count;
  for (std::uint64_t i = 0; i < half->count; ++i) half->entries[i] = packet->entries[i];
  for (std::uint64_t i = 0; i < packet->count; ++i) packet->entries[i] = packet->entries[i + half->count];
  pool.publish(half);
  state.count_activity();
}

void Marker::shade(ProcessorState& state, std::uintptr_t address) {
  if (address == 0) return;
  const CellRef cell = cell_of(address);
  if (!try_mark(cell)) return;
  const Block& block = region.block(cell.block);
  state.marked_bytes += bytes_of(block);
  ++state.marked_objects;
  state.count_activity();
  if (!block.pattern->leaf()) push(state, address_of(cell));
}

inline void Marker::mark_child(ProcessorState& state, std::uintptr_t child) {
  if (child == 0) return;
  const CellRef cell = cell_of(child);
  if (!try_mark(cell)) return;
  const Block& block = region.block(cell.block);
  state.marked_bytes += bytes_of(block);
  ++state.marked_objects;
  if (block.pattern->leaf()) return;
  const std::uintptr_t address = address_of(cell);
  push(state, address);
}

bool Marker::drain(ProcessorState& state, std::uint64_t deadline_ns) {
  // A queue of prefetched objects in front of the last-in-first-out packet (Cher, Hosking and Vitek 2004).
  MarkEntry queue[kPrefetchDistance];
  std::size_t head = 0;
  std::size_t queued = 0;
  bool scanned = false;
  bool stop = false;
  std::uint32_t until_check = kObjectsPerCheck;
  for (;;) {
    while (!stop && queued < kPrefetchDistance) {
      if (state.grey->count == 0 && (queued != 0 || !refill(state))) break;
      const MarkEntry entry = state.grey->entries[--state.grey->count];
      __builtin_prefetch(reinterpret_cast<const void*>(entry & ~kSliceBit));
      queue[(head + queued++) % kPrefetchDistance] = entry;
    }
    if (queued == 0) break;
    const MarkEntry entry = queue[head];
    head = (head + 1) % kPrefetchDistance;
    --queued;
    scan_entry(state, entry);
    scanned = true;
    if (--until_check != 0) continue;
    until_check = kObjectsPerCheck;
    if (hungry.load(std::memory_order_relaxed) != 0) share(state);
    if (base::now_ns() >= deadline_ns) stop = true;  // finishes what is in the queue, then leaves
  }
  publish_grey(state);
  return scanned;
}

void Marker::scan_entry(ProcessorState& state, MarkEntry entry) {
  const std::uintptr_t address = entry & ~kSliceBit;
  const BlockIndex index = region.index_of(reinterpret_cast<const void*>(address));
  const Block& block = region.block(index);
  switch (block.kind) {
    case BlockKind::kCells: return scan_cell(state, address, block);
    case BlockKind::kLarge: return scan_large(state, address, index);
    case BlockKind::kLargeTail: return scan_large(state, address, block.head);
    case BlockKind::kFree: break;  // cannot be: a grey object keeps its block
  }
}

inline void Marker::scan_words(ProcessorState& state, std::uintptr_t object, std::uint64_t bitmap) {
  for (; bitmap != 0; bitmap &= bitmap - 1)
    mark_child(state, load_reference(object + 8 * static_cast<unsigned>(std::countr_zero(bitmap))));
}

void Marker::scan_cell(ProcessorState& state, std::uintptr_t address, const Block& block) {
  const Pattern& pattern = *block.pattern;
  if (pattern.stride != 0)
    scan_elements(state, address + pattern.first, address + block.cell_bytes, pattern);
  else if (pattern.bitmap_complete) [[likely]]
    scan_words(state, address, pattern.bitmap);
  else
    for (const std::uint32_t offset : pattern.offsets) mark_child(state, load_reference(address + offset));
}

// Elements that begin in [from, end); whole ones only, since a cell may end in a fraction of one.
void Marker::scan_elements(ProcessorState& state, std::uintptr_t from, std::uintptr_t end, const Pattern& pattern) {
  for (std::uintptr_t element = from; element + pattern.stride <= end; element += pattern.stride)
    if (pattern.bitmap_complete)
      scan_words(state, element, pattern.bitmap);
    else
      for (const std::uint32_t offset : pattern.offsets) mark_child(state, load_reference(element + offset));
}

// Scans one slice from `from` on and pushes the rest as the next slice, first, so that another worker can take it.
void Marker::scan_large(ProcessorState& state, std::uintptr_t from, BlockIndex head) {
  const Block& block = region.block(head);
  const Pattern& pattern = *block.pattern;
  const auto object = reinterpret_cast<std::uintptr_t>(region.address_of(head));
  const std::uintptr_t end = object + block.large_bytes;
  if (pattern.stride == 0) {
    for (const std::uint32_t offset : pattern.offsets) mark_child(state, load_reference(object + offset));
    return;
  }
  const std::uintptr_t first = from == object ? object + pattern.first : from;
  const std::uintptr_t per_slice = std::max<std::uintptr_t>(kSliceBytes / pattern.stride, 1) * pattern.stride;
  const std::uintptr_t next = first + per_slice;
  // Slices start at elements, hence at multiples of 8: the tag bit is free.
  if (next < end) push(state, next | kSliceBit);
  scan_elements(state, first, std::min(next, end), pattern);
}

}  // namespace tandem::gc
