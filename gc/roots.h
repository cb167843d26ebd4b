#pragma once
// Roots: goroutine stacks and closures, the table of Persistents, the handles of weak references.

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "gc/processor_state.h"
#include "gc/tag_scan.h"
#include "runtime/seam/goroutine.h"
#include "runtime/seam/processor.h"

namespace tandem::gc {

/// Scans a goroutine that the caller owns: it holds the claim, has dequeued it, or is it (then it stands on that stack and
/// the live part begins at the caller's frame). Sets scanned_cycle.
void scan_goroutine(seam::Goroutine& goroutine, seam::Processor& processor);

/// Calls found(context, reference) for each root of the goroutine.
void for_each_root(seam::Goroutine& goroutine, FoundRoot found, void* context);

/// The walk over all goroutines after handshake 3, cut into chunks that workers take. After that handshake no unscanned
/// goroutine runs or is resumed unscanned, so one pass is enough: what it meets unscanned is parked (it claims it) or just
/// being scanned by its next worker (it waits for that one scan).
class RootWalk {
 public:
  void begin();
  /// Takes a chunk and scans it; false when none is left to take.
  bool step(seam::Processor& processor);
  /// True for the one caller that finished the last chunk; to be asked after each step that returned true.
  bool finished_by_me();
  std::size_t chunks() const { return chunks_.load(std::memory_order_relaxed); }
  bool chunks_left() const {
    return next_chunk_.load(std::memory_order_relaxed) < chunks_.load(std::memory_order_relaxed);
  }

 private:
  void scan_goroutines(std::size_t chunk, seam::Processor& processor);

  std::atomic<std::size_t> chunks_{0};  // written before the walk is opened; asked about at any time (has_work)
  std::atomic<std::size_t> goroutines_{0};
  std::size_t handle_chunks_ = 0;  // published with the walk
  std::atomic<std::size_t> next_chunk_{0};
  std::atomic<std::size_t> done_chunks_{0};
};

extern RootWalk root_walk;

}  // namespace tandem::gc
