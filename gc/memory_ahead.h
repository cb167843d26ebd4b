#pragma once
// Memory ahead of its use. The first touch of a huge page waits until the kernel has cleared 2 MiB: 0.2 ms at best, many
// where the machine is a virtual one whose host has to find memory first. So a thread of its own keeps some free blocks
// ready, and who allocates does not meet first touches. Not a worker: in the kernel it would reach no safepoint.
//
// At most Options::memory_ahead is ready and unused, and an eighth of the heap: a small program has neither the memory nor
// the work. Group after group is taken out of the region as an allocation would be, so nobody waits for the thread: who finds
// nothing ready takes fresh blocks elsewhere (unless that would take memory beyond memory_limit).

#include <atomic>
#include <cstdint>

#include "runtime/base/os_thread.h"
#include "runtime/base/parker.h"

namespace tandem {
struct Options;
}

namespace tandem::gc {

class MemoryAhead {
 public:
  /// Without a thread where there is one CPU only, or time is virtual: then it does nothing.
  void start(const Options& options);
  /// Nobody allocates any more.
  void stop();

  /// An allocation has taken blocks: wakes the thread when too few are ready. A few loads.
  void blocks_taken() {
    if (blocks_max_ != 0 && behind()) parker_.unpark();
  }
  /// Free blocks that are to be ready: whole groups, for the heap as it is now.
  std::uint64_t wanted_blocks() const;

 private:
  bool behind() const;
  bool too_few() const;
  void run();

  std::uint64_t blocks_max_ = 0;  // 0: no thread
  std::atomic<bool> stop_{false};
  base::Parker parker_;
  base::Thread thread_;
};

extern MemoryAhead memory_ahead;

}  // namespace tandem::gc
