#pragma once
// The walk over all roots after handshake 3, cut into chunks that workers take: the table of Persistents, the handles of weak
// references, all goroutines. After that handshake no unscanned goroutine runs or is resumed unscanned, so one pass is enough:
// what it meets unscanned is parked (it claims it) or just being scanned by its next worker (it waits for that one scan).
//
// Options::roots_by: with first_claim and worker there is one walk over the goroutines, whose chunks anybody takes; with
// owner there is one for each processor, which meets only those that ran there last.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "runtime/seam/processor.h"

namespace tandem::gc {

class RootWalk {
 public:
  void begin();
  /// Takes a chunk and scans it; false when none is left for this processor to take.
  bool step(seam::Processor& processor);
  /// True for the one caller that finished the last chunk; to be asked after each step that returned true.
  bool finished_by_me();
  std::size_t chunks() const { return common_chunks() + walks() * goroutine_chunks(); }
  bool chunks_left() const;

 private:
  static constexpr std::size_t kWalksMax = 256;  // Options::processors
  std::size_t common_chunks() const { return common_chunks_.load(std::memory_order_relaxed); }
  std::size_t goroutine_chunks() const { return goroutine_chunks_.load(std::memory_order_relaxed); }
  std::uint32_t walks() const { return walks_.load(std::memory_order_relaxed); }
  bool step_of_walk(std::uint32_t walk, seam::Processor& processor);
  void scan_goroutines(std::size_t chunk, std::uint32_t walk, seam::Processor& processor);

  // Written before the walk is opened (Cycle's roots_open_, by release). Asked about at any time (has_work), whence atomic.
  std::atomic<std::size_t> goroutines_{0};
  std::atomic<std::size_t> common_chunks_{0};
  std::atomic<std::size_t> goroutine_chunks_{0};
  std::atomic<std::uint32_t> walks_{1};
  std::atomic<std::size_t> next_common_{0};
  std::array<std::atomic<std::size_t>, kWalksMax> next_of_walk_{};
  std::atomic<std::size_t> done_chunks_{0};
};

extern RootWalk root_walk;

}  // namespace tandem::gc
