#pragma once
/// \file
/// The managed heap as a whole: collect(), wait_for_finalizers(), heap_statistics().

#include <cstdint>

namespace tandem {

/// Runs one full collection cycle that starts after the call, and parks until it has ended and what was unreachable at the
/// call is reclaimed. Does not wait for destructors and cleanups (wait_for_finalizers does). Other goroutines go on. On a
/// goroutine only. With Options::collector = none: returns at once.
void collect();

/// Parks until the destructors and cleanups that are due have run. On a goroutine only.
void wait_for_finalizers();

struct HeapStatistics {
  std::uint64_t cycles;             ///< completed collection cycles
  std::uint64_t live_bytes;         ///< marked, or allocated while marking, in the last cycle
  std::uint64_t heap_bytes;         ///< blocks in use
  std::uint64_t allocated_bytes;    ///< since the run began
  std::uint64_t goal_bytes;         ///< heap size by which the next cycle should have marked
  std::uint64_t finalized_objects;  ///< destructors and cleanups run
};

/// A snapshot; never blocks.
HeapStatistics heap_statistics();

}  // namespace tandem
