#include "gc/marker.h"

#include <algorithm>
#include <bit>

#include "runtime/base/clock.h"
#include "runtime/seam/registry.h"

namespace tandem::gc {

Marker marker;
bool marks_exclusively = false;

namespace {

/// Objects whose first line is being fetched while others are scanned: 4x on a shuffled heap, and more than 16 loses on
/// orderly ones.
constexpr std::size_t kPrefetchDistance = 16;
/// Objects between two looks at the clock and at what others could take: some 5 to 20 us.
constexpr std::uint32_t kObjectsPerCheck = 128;
/// A large object is scanned in slices of so many bytes, so that it can be shared and a quantum ends in time.
constexpr std::uintptr_t kSliceBytes = 32 * 1024;
/// A packet is worth halving for another worker when it holds at least so many objects.
constexpr std::uint32_t kShareMin = 32;

std::uintptr_t load_reference(std::uintptr_t slot) {
  // Acquire: pairs with the release of the store that published the object, whose fields are read next.
  return __atomic_load_n(reinterpret_cast<const std::uintptr_t*>(slot), __ATOMIC_ACQUIRE);
}

}  // namespace

[[gnu::always_inline]] inline void Marker::push(ProcessorState& state, MarkEntry entry) {
  if (state.grey->full()) [[unlikely]]
    publish_grey(state);
  MarkPacket* const packet = state.grey;
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

// Balance: while a worker marks, one packet is kept published for whoever has time. Published once, it costs nothing more
// until it is taken; if nobody takes it, the worker does itself in the end.
void Marker::share(ProcessorState& state) {
  MarkPacket* const packet = state.grey;
  if (packet->count < kShareMin || seam::registry.processor_count == 1) return;
  // The older half: nearer to the roots, so likely the larger part of the work.
  MarkPacket* const half = pool.take_empty();
  half->count = packet->count / 2;
  packet->count -= half->count;
  std::copy_n(packet->entries, half->count, half->entries);
  std::copy_n(packet->entries + half->count, packet->count, packet->entries);
  pool.publish(half);
  state.count_activity();
  seam::registry.scheduler->wake_for_collector_work(1);
}

/// Marks the object that contains `address`, not null, and pushes it if there is something in it to scan. True if new.
[[gnu::always_inline]] inline bool Marker::mark_object(ProcessorState& state, std::uintptr_t address) {
  const CellRef cell = cell_of(address);
  if (!try_mark(cell)) return false;
  const Block& block = region.block(cell.block);
  state.marked_bytes += block.object_bytes;
  ++state.marked_objects;
  if (!block.leaf) push(state, address_of(cell));
  return true;
}

void Marker::shade(ProcessorState& state, std::uintptr_t address) {
  if (address != 0 && mark_object(state, address)) state.count_activity();
}

[[gnu::always_inline]] inline void Marker::scan_words(ProcessorState& state, std::uintptr_t object,
                                                      std::uint64_t bitmap) {
  for (; bitmap != 0; bitmap &= bitmap - 1) {
    const std::uintptr_t child = load_reference(object + 8 * static_cast<unsigned>(std::countr_zero(bitmap)));
    if (child != 0) mark_object(state, child);
  }
}

void Marker::scan_offsets(ProcessorState& state, std::uintptr_t object, const Pattern& pattern) {
  for (const std::uint32_t offset : pattern.offsets)
    if (const std::uintptr_t child = load_reference(object + offset)) mark_object(state, child);
}

[[gnu::always_inline]] inline void Marker::scan_entry(ProcessorState& state, MarkEntry entry) {
  const std::uintptr_t address = entry & ~kSliceBit;
  const BlockIndex index = region.index_of(reinterpret_cast<const void*>(address));
  const Block& block = region.block(index);
  if (block.kind != BlockKind::kCells) [[unlikely]]
    return scan_large(state, address, block.kind == BlockKind::kLargeTail ? block.head : index);
  const Pattern& pattern = *block.pattern;
  if (pattern.stride != 0)
    scan_elements(state, address + pattern.first, address + block.cell_bytes, pattern);
  else if (pattern.bitmap_complete) [[likely]]
    scan_words(state, address, pattern.bitmap);
  else
    scan_offsets(state, address, pattern);
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
    if (!pool.any_published()) share(state);
    if (base::now_ns() >= deadline_ns) stop = true;  // finishes what is in the queue, then leaves
  }
  publish_grey(state);
  return scanned;
}

// Elements that begin in [from, end); whole ones only, since a cell may end in a fraction of one.
void Marker::scan_elements(ProcessorState& state, std::uintptr_t from, std::uintptr_t end, const Pattern& pattern) {
  for (std::uintptr_t element = from; element + pattern.stride <= end; element += pattern.stride)
    if (pattern.bitmap_complete)
      scan_words(state, element, pattern.bitmap);
    else
      scan_offsets(state, element, pattern);
}

// Scans one slice from `from` on and pushes the rest as the next slice, first, so that another worker can take it.
void Marker::scan_large(ProcessorState& state, std::uintptr_t from, BlockIndex head) {
  const Block& block = region.block(head);
  const Pattern& pattern = *block.pattern;
  const auto object = reinterpret_cast<std::uintptr_t>(region.address_of(head));
  const std::uintptr_t end = object + block.object_bytes;
  if (pattern.stride == 0) return scan_offsets(state, object, pattern);
  const std::uintptr_t first = from == object ? object + pattern.first : from;
  const std::uintptr_t per_slice = std::max<std::uintptr_t>(kSliceBytes / pattern.stride, 1) * pattern.stride;
  const std::uintptr_t next = first + per_slice;
  // Slices start at elements, hence at multiples of 8: the tag bit is free.
  if (next < end) push(state, next | kSliceBit);
  scan_elements(state, first, std::min(next, end), pattern);
}

}  // namespace tandem::gc
