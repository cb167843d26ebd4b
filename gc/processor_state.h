#pragma once
// What the collector keeps for one processor. All of it is written by who drives the processor, or has claimed it in a
// handshake; `activity` is also read by who decides whether marking is done.

#include <atomic>
#include <cstdint>
#include <vector>

#include "gc/mark_packet.h"
#include "gc/region.h"
#include "gc/sample_countdown.h"
#include "runtime/seam/processor.h"
#include "tandem/detail/words.h"

namespace tandem::gc {

/// The block that a processor allocates one layout from. All zero: none (the table is demand-zero memory).
struct CurrentBlock {
  std::uint32_t block_plus_one = 0;
  std::uint32_t next_word = 0;    // first word of the bitmap not looked at yet
  std::uint32_t window_word = 0;  // word that the window was taken from

  static CurrentBlock of(BlockIndex block) { return {block + 1, 0, 0}; }
  bool held() const { return block_plus_one != 0; }
  BlockIndex block() const { return block_plus_one - 1; }
};

struct ProcessorState {
  // -- Allocation.
  CurrentBlock* current = nullptr;                   // indexed by layout, beside Processor::windows
  std::vector<detail::LayoutNumber> active_layouts;  // those with a current block
  std::uint64_t black_bytes = 0;                     // allocated black in this cycle
  std::uint64_t assist_debt_bytes = 0;               // mark work owed for what was allocated
  SampleCountdown profile;

  // -- Marking.
  MarkPacket* grey = nullptr;      // never null between attach and detach
  std::uint64_t marked_bytes = 0;  // since the cycle began; summed at its end
  std::uint64_t marked_objects = 0;
  /// Counts objects shaded by barriers and scans, and packets published or taken. Release by the owner, acquire by the
  /// judge of a flush round.
  std::atomic<std::uint64_t> activity{0};
  std::uint64_t activity_at_flush = 0;  // value when this processor acknowledged the flush
  std::uint64_t marked_at_flush = 0;    // marked_objects then
  bool dirty_at_flush = false;

  void count_activity() { activity.store(activity.load(std::memory_order_relaxed) + 1, std::memory_order_release); }
};

inline ProcessorState& state_of(seam::Processor& processor) { return *processor.gc; }

}  // namespace tandem::gc
