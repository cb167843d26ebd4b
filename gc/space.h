#pragma once
// The blocks of one layout, by what is known of them. A block is on exactly one list here, or is the current block of one
// processor, or is being swept.

#include <atomic>
#include <cstdint>
#include <vector>

#include "gc/processor_state.h"
#include "gc/region.h"
#include "runtime/base/spin_lock.h"
#include "tandem/detail/layout.h"

namespace tandem::gc {

struct Space {
  detail::LayoutNumber layout = 0;
  base::SpinLock lock;
  std::vector<BlockIndex> unswept;    // guarded by lock, as the two below
  std::vector<BlockIndex> available;  // swept, with free cells
  std::vector<BlockIndex> full;       // given up by an allocating processor, or found full when swept
};

/// Large objects, one list for all patterns.
struct LargeSpace {
  base::SpinLock lock;
  std::vector<BlockIndex> unswept;  // guarded by lock
  std::vector<BlockIndex> swept;
};

class Spaces {
 public:
  void begin_run();
  void end_run();

  Space& at(detail::LayoutNumber layout);
  LargeSpace& large() { return large_; }

  /// Everything that was marked in the last cycle becomes unswept. After handshake 4. `more` is added to the blocks to be counted
  /// as swept.
  void all_to_unswept(std::uint64_t more);
  /// Takes any unswept block for sweeping; kNoBlock when there is none. `space` is null for a large object.
  BlockIndex take_unswept(Space*& space);

  /// Blocks that are unswept or being swept. Sweeping is over when it reaches 0.
  std::atomic<std::uint64_t> unswept_blocks{0};

  template <class Function>
  void for_each(Function function) {
    const std::uint32_t n = count_.load(std::memory_order_acquire);
    for (std::uint32_t i = 0; i < n; ++i) function(*list_[i].load(std::memory_order_relaxed));
  }

 private:
  static constexpr std::uint32_t kMaxLayouts = detail::kMaxPatterns * detail::kSizeClasses;
  Space* create(detail::LayoutNumber layout);

  std::atomic<Space*>* table_ = nullptr;  // by layout number
  std::atomic<Space*>* list_ = nullptr;   // dense, in order of creation
  std::atomic<std::uint32_t> count_{0};
  std::atomic<std::uint32_t> sweep_hint_{0};  // spaces of the list below it have no unswept block
  LargeSpace large_;
  base::SpinLock create_lock_;
};

extern Spaces spaces;

}  // namespace tandem::gc
