#pragma once
// Grey objects in packets (Ossia et al. 2002): a processor pushes to and pops from its own packet without synchronisation;
// whole packets are published to one pool and taken from it. That no packet is published and none is held is what the end
// of marking is decided by (cycle.h).

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "runtime/base/spin_lock.h"

namespace tandem::gc {

/// One entry: the address of a marked cell; or, with kSliceBit set, of a place inside a large object from which one slice of
/// it is to be scanned; or, with kBlockBit set, of a block with marked cells to be scanned (grey_blocks.h).
using MarkEntry = std::uintptr_t;
inline constexpr MarkEntry kSliceBit = 1;
inline constexpr MarkEntry kBlockBit = 2;

struct MarkPacket {
  static constexpr std::uint32_t kCapacity = 510;  // 4 KiB with the two words below
  MarkPacket* next = nullptr;
  std::uint64_t count = 0;
  MarkEntry entries[kCapacity];

  bool full() const { return count == kCapacity; }
  void drop_first(std::uint64_t entries_read) {
    std::copy(entries + entries_read, entries + count, entries);
    count -= entries_read;
  }
};

class PacketPool {
 public:
  /// An empty packet. Throws nothing; out of memory is fatal (marking cannot be given up half-way).
  MarkPacket* take_empty();
  void give_empty(MarkPacket* packet);
  /// Publishes a packet with grey objects / takes one, null when there is none: the last one that was published, or the first
  /// (set_oldest_first).
  void publish(MarkPacket* packet);
  MarkPacket* take_published();
  std::uint64_t published() const { return published_count_.load(std::memory_order_acquire); }
  bool any_published() const { return published() != 0; }
  /// Boot only.
  void set_oldest_first(bool on) { oldest_first_ = on; }
  /// Frees all; the published ones must have been used up or dropped.
  void release();

 private:
  base::SpinLock lock_;
  bool oldest_first_ = false;        // fixed during a run
  MarkPacket* published_ = nullptr;  // guarded by lock_, as the two below
  MarkPacket* last_ = nullptr;       // of published_, when that is not null
  MarkPacket* empty_ = nullptr;
  std::atomic<std::uint64_t> published_count_{0};
};

}  // namespace tandem::gc
