#include "gc/marker.h"

#include <algorithm>
#include <utility>

#include "gc/grey_blocks.h"
#include "gc/mark_executor.h"
#include "gc/object_scan.h"
#include "runtime/base/clock.h"
#include "runtime/seam/registry.h"
#include "tandem/runtime.h"

namespace tandem::gc {

Marker marker;
bool marks_exclusively = false;

namespace {

/// The ring of objects that are being fetched (Options::mark_prefetch).
constexpr std::size_t kPrefetchMax = 64;
/// Objects between two looks at the clock and at what others could take: some 5 to 20 us. A block has up to 4,096 of them.
constexpr std::uint32_t kObjectsPerCheck = 128;
constexpr std::uint32_t kBlocksPerCheck = 1;
/// A packet is worth halving for another worker when it holds at least so many objects.
constexpr std::uint32_t kShareMin = 32;

}  // namespace

void Marker::begin_run(const Options& options) {
  using Order = Options::MarkOrder;
  // Last in, first out without fetching is a queue of one.
  prefetch_distance_ = options.mark_order == Order::prefetch ? options.mark_prefetch : 1;
  by_block_ = options.mark_order == Order::block;
  oldest_first_ = by_block_ || options.mark_order == Order::fifo;
  pool.set_oldest_first(oldest_first_);
  if (by_block_) grey_blocks.reserve(region.blocks());
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
  if (packet->count < kShareMin || marks_exclusively) return;
  // The older half: nearer to the roots, so likely the larger part of the work.
  MarkPacket* const half = pool.take_empty();
  half->count = packet->count / 2;
  packet->count -= half->count;
  std::copy_n(packet->entries, half->count, half->entries);
  std::copy_n(packet->entries + half->count, packet->count, packet->entries);
  pool.publish(half);
  state.count_activity();
  if (mark_executor != nullptr)
    mark_executor->offer(1);
  else
    seam::registry.scheduler->wake_for_collector_work(1);
}

void Marker::shade(ProcessorState& state, std::uintptr_t address) {
  if (address == 0) return;
  ObjectScan scan(*this, state);
  if (by_block_ ? scan.mark<true>(address) : scan.mark<false>(address)) state.count_activity();
}

bool Marker::drain(ProcessorState& state, std::uint64_t deadline_ns) {
  if (by_block_) return drain_oldest_first<true>(state, deadline_ns);
  if (oldest_first_) return drain_oldest_first<false>(state, deadline_ns);
  return drain_newest_first(state, deadline_ns);
}

bool Marker::drain_newest_first(ProcessorState& state, std::uint64_t deadline_ns) {
  // A queue of prefetched objects in front of the last-in-first-out packet (Cher, Hosking and Vitek 2004): 4x on a shuffled heap.
  MarkEntry queue[kPrefetchMax];
  const std::size_t distance = prefetch_distance_;
  std::size_t head = 0;
  std::size_t queued = 0;
  bool scanned = false;
  bool stop = false;
  std::uint32_t until_check = kObjectsPerCheck;
  ObjectScan scan(*this, state);
  for (;;) {
    while (!stop && queued < distance) {
      if (state.grey->count == 0 && (queued != 0 || !refill(state))) break;
      const MarkEntry entry = state.grey->entries[--state.grey->count];
      __builtin_prefetch(reinterpret_cast<const void*>(entry & ~kSliceBit));
      queue[(head + queued++) % kPrefetchMax] = entry;
    }
    if (queued == 0) break;
    const MarkEntry entry = queue[head];
    head = (head + 1) % kPrefetchMax;
    --queued;
    scan.scan<false>(entry);
    scanned = true;
    if (--until_check != 0) continue;
    until_check = kObjectsPerCheck;
    if (!pool.any_published()) share(state);
    if (base::now_ns() >= deadline_ns) stop = true;  // finishes what is in the queue, then leaves
  }
  publish_grey(state);
  return scanned;
}

// A quantum ends with what is left of the packet that is read and with what became grey: published as one packet when it fits.
// As two, every quantum would leave one packet more than it found, and quanta are short on a busy machine.
void Marker::leave_grey(ProcessorState& state, MarkPacket*& reading) {
  if (reading->count + state.grey->count <= MarkPacket::kCapacity) {
    std::copy_n(state.grey->entries, state.grey->count, reading->entries + reading->count);
    reading->count += std::exchange(state.grey->count, 0);
  }
  std::swap(reading, state.grey);
  publish_grey(state);
  std::swap(reading, state.grey);
}

// Reads one packet from its beginning while what becomes grey goes to another one.
template <bool kByBlock>
bool Marker::drain_oldest_first(ProcessorState& state, std::uint64_t deadline_ns) {
  constexpr std::uint32_t kPerCheck = kByBlock ? kBlocksPerCheck : kObjectsPerCheck;
  MarkPacket* reading = pool.take_empty();
  std::uint64_t next = 0;
  bool scanned = false;
  std::uint32_t until_check = kPerCheck;
  ObjectScan scan(*this, state);
  for (;;) {
    if (next == reading->count) {
      reading->count = next = 0;
      if (MarkPacket* const oldest = pool.take_published()) {
        state.count_activity();
        pool.give_empty(std::exchange(reading, oldest));
      } else if (state.grey->count != 0) {
        std::swap(reading, state.grey);
      } else {
        break;
      }
    }
    scan.scan<kByBlock>(reading->entries[next++]);
    scanned = true;
    if (--until_check != 0) continue;
    until_check = kPerCheck;
    if (!pool.any_published()) share(state);
    if (base::now_ns() < deadline_ns) continue;
    reading->drop_first(next);
    leave_grey(state, reading);
    break;
  }
  pool.give_empty(reading);
  publish_grey(state);
  return scanned;
}

}  // namespace tandem::gc
