#pragma once
// Sweeping: the marks of a block become its allocated cells. Lazily when an allocation wants the block, and in the
// background as collector work. Dead cells that hold a constructed object with a destructor are condemned: they stay
// allocated until the finaliser has run the destructor, however long that takes; the block counts as swept at once.

#include <cstdint>

#include "gc/counters.h"
#include "gc/space.h"

namespace tandem::gc {

class Sweeper {
 public:
  /// Takes the marks over, if that has not been done since `swept_cycle`. The caller owns the block (took it from a list, or
  /// has it as its current block). Returns how many cells are allocated now.
  std::uint32_t sweep_cells(BlockIndex block, std::uint64_t swept_cycle);

  /// Sweeps unswept blocks until there is none left or the deadline has passed; puts each where it belongs, and counts it. True
  /// if any.
  bool sweep_until(std::uint64_t deadline_ns, Counter& counter = counters.blocks_swept_in_background);

  /// After sweep_cells on a block taken from Space::unswept that the caller does not keep.
  void put_away(Space& space, BlockIndex block, std::uint32_t allocated);
  /// One block less to sweep; wakes those who wait for the end, and ends the stop if sweeping is part of it.
  void count_swept();

  /// Condemns every object of the block that has a destructor; true if there was any. For the end of a run: the block is
  /// swept, and nobody allocates or sweeps meanwhile.
  bool condemn_all(BlockIndex block);

  bool finished() const { return spaces.unswept_blocks.load(std::memory_order_acquire) == 0; }

  /// Cycle whose marks are valid: set when marking is committed. Read under ownership of a block.
  std::atomic<std::uint64_t> committed_cycle{0};

 private:
  void sweep_large(BlockIndex head);
  void detach_dead(BlockIndex block, std::uint32_t word, std::uint64_t dead);
  std::uint64_t condemn(BlockIndex block, std::uint32_t word, std::uint64_t dead);
};

extern Sweeper sweeper;

/// sweep = eager with stop = stop_the_world: the world is let go when all is swept.
bool sweeps_in_the_stop();

}  // namespace tandem::gc
