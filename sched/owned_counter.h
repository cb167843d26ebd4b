#pragma once
// A statistics counter with one writer.

#include <atomic>
#include <cstdint>

namespace tandem::sched {

class OwnedCounter {
 public:
  /// Owner only: no locked instruction.
  void add(std::uint64_t amount = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  /// Anybody.
  std::uint64_t read() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

}  // namespace tandem::sched
