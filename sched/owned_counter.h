#pragma once
// A counter with one writer.

#include <atomic>
#include <cstdint>

namespace tandem::sched {

class OwnedCounter {
 public:
  /// Owner only: no locked instruction. Release: who reads the new value sees what happened before it was counted (that a
  /// goroutine has ended, for one).
  void add(std::uint64_t amount = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_release);
  }
  /// Anybody. Acquire: pairs with add().
  std::uint64_t read() const { return value_.load(std::memory_order_acquire); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

}  // namespace tandem::sched
