#pragma once
// The collector's phase: one writer, the completion of the last step (gc/cycle.cpp); read by everyone.

#include <atomic>
#include <cstdint>

namespace tandem::seam {

/// In the order of one cycle. Comparisons such as phase >= kRoots rely on it.
enum class Phase : std::uint32_t {
  kIdle,         // no cycle; sweeping of the last one may go on
  kFinishSweep,  // a cycle was asked for: rest of the sweep, then mark bits are cleared
  kBarrier,      // handshake 1: every processor sees the barrier
  kBlack,        // handshake 2: every processor allocates black
  kRoots,        // handshake 3, then the walk over all goroutines
  kMark,         // work until no grey object is known
  kFlush,        // flush handshake: is there really none?
  kOff,          // committed; handshake 4: barrier off, allocate white
};

struct CollectorClock {
  std::atomic<Phase> phase{Phase::kIdle};
  /// Number of the running or last cycle, from 1. Moves when a cycle starts, before its handshake 1.
  std::atomic<std::uint64_t> cycle{0};
  /// Number of the running or last round of scanning roots: one a cycle, a second one with barrier = insertion_rescan. Moves
  /// before the handshake that begins the round.
  std::atomic<std::uint64_t> root_round{0};
};
extern constinit CollectorClock collector_clock;

/// Is a cycle between its barrier and its commit?
inline bool is_marking(Phase phase) { return phase >= Phase::kBarrier && phase <= Phase::kFlush; }

inline Phase current_phase() { return collector_clock.phase.load(std::memory_order_acquire); }

/// Coarse monotonic time in ns, kept by the monitor thread (a few ms behind); for dumps and reports only.
extern constinit std::atomic<std::uint64_t> coarse_now_ns;

}  // namespace tandem::seam
