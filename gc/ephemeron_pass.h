#pragma once
// The values of WeakMaps, at the end of marking. When nothing grey is left, one pass over all entries marks the values whose
// keys and maps are marked; what grows out of them is marked, and there may be further keys among it. Done when a pass has seen the marks
// as they are at the commit: when as many objects are marked at the flush after it as were at the flush before it.
//
// An entry that is made or read meanwhile needs nothing more. Who stores or finds a value holds the key and the map, which are
// marked in this cycle, so a value that is found is marked by a pass; one that is stored was reachable otherwise, and is
// marked as such: all stacks are scanned, all allocation is black, overwritten references are shaded.
//
// A chain of n keys, each reached through the value of the one before, takes n passes (Jones, Hosking and Moss, section 12.2).

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "gc/attachments.h"

namespace tandem::gc {

class EphemeronPass {
 public:
  /// A cycle begins.
  void reset();
  /// `marked` objects at the flush that has just been acknowledged by all. False: a pass has been begun. Where it is judged
  /// whether marking is done.
  bool settled(std::uint64_t marked);
  /// A piece of a pass that is under way; false when none is left to take. Mark work.
  bool step(ProcessorState& state);
  /// No piece is left to take or being worked on.
  bool finished() const { return done_.load(std::memory_order_acquire) >= Attachments::kShards; }

 private:
  static constexpr std::uint64_t kNone = UINT64_MAX;

  std::atomic<std::uint64_t> marked_before_{kNone};
  std::atomic<std::size_t> next_{Attachments::kShards};
  std::atomic<std::size_t> done_{Attachments::kShards};
};

extern EphemeronPass ephemeron_pass;

}  // namespace tandem::gc
