#pragma once
// Mark bits are cleared when all blocks are swept and before the barrier is on (DESIGN 13.5), in pieces that workers take. Blocks
// taken meanwhile have clear bits from the start.

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace tandem::gc {

class MarkClearing {
 public:
  enum class Step {
    kNothing,  // none is left to take
    kSome,
    kLast,  // all bits are clear now: for one caller a cycle
  };
  /// Takes one piece and clears it.
  Step step();
  /// When no worker can stand in step() any more, before the next cycle.
  void forget();
  /// About how many there are.
  static std::size_t pieces();

 private:
  void prepare();

  std::atomic<std::uint32_t> blocks_{0};  // whose marks are to be cleared, plus one; 0: not prepared
  std::atomic<std::uint32_t> next_{0};
  std::atomic<std::uint32_t> done_{0};
};

extern MarkClearing mark_clearing;

}  // namespace tandem::gc
