#include "runtime/context/stack.h"

namespace tandem::context {

bool StackCache::refill(std::uint32_t size_class) noexcept {
  Magazine& magazine = magazines_[size_class];
  magazine.count = arena_.allocate_batch(size_class, magazine.stacks.data(), kBatch);
  return magazine.count != 0;
}

void StackCache::make_room(std::uint32_t size_class, const Stack& stack) noexcept {
  if (frees_since_trim_ >= kFreesPerTrim) {
    frees_since_trim_ = 0;
    arena_.trim(&stack, 1);
  }
  Magazine& magazine = magazines_[size_class];
  if (magazine.count < kCapacity) return;
  // The oldest half goes: the newest is the warmest.
  arena_.free_batch(magazine.stacks.data(), kBatch);
  for (std::size_t i = kBatch; i < kCapacity; ++i) magazine.stacks[i - kBatch] = magazine.stacks[i];
  magazine.count -= kBatch;
}

void StackCache::trim() noexcept {
  for (Magazine& magazine : magazines_) arena_.trim(magazine.stacks.data(), magazine.count);
}

void StackCache::flush() noexcept {
  for (Magazine& magazine : magazines_) {
    arena_.free_batch(magazine.stacks.data(), magazine.count);
    magazine.count = 0;
  }
}

}  // namespace tandem::context
