#pragma once
// Runnable goroutines that belong to no processor: what overflowed, was preempted, or came from a foreign thread. FIFO.
//
// A list through the descriptors under a spin lock: a whole batch goes in or out in one short section, nothing is allocated
// (an overflow must not fail for lack of memory), and the descriptor's line is touched anyway by who runs it.

#include <atomic>
#include <cstddef>
#include <mutex>

#include "runtime/base/cache_line.h"
#include "runtime/base/intrusive_queue.h"
#include "runtime/base/spin_lock.h"
#include "runtime/seam/goroutine.h"

namespace tandem::sched {

using seam::Goroutine;

class InjectionQueue {
 public:
  void push(Goroutine& goroutine) {
    const std::lock_guard guard(lock_);
    queue_.push_back(&goroutine);
    size_.store(queue_.size(), std::memory_order_relaxed);
  }

  void push_batch(Goroutine* const* goroutines, std::size_t count) {
    const std::lock_guard guard(lock_);
    for (std::size_t i = 0; i < count; ++i) queue_.push_back(goroutines[i]);
    size_.store(queue_.size(), std::memory_order_relaxed);
  }

  /// Takes up to `wanted` into `out`; returns how many.
  std::size_t pop_batch(Goroutine** out, std::size_t wanted) {
    if (empty()) return 0;
    const std::lock_guard guard(lock_);
    std::size_t count = 0;
    while (count < wanted) {
      Goroutine* goroutine = queue_.pop_front();
      if (goroutine == nullptr) break;
      out[count++] = goroutine;
    }
    size_.store(queue_.size(), std::memory_order_relaxed);
    return count;
  }

  /// A hint; callers that must not miss anything have a fence between what they published and this.
  bool empty() const { return size() == 0; }
  std::size_t size() const { return size_.load(std::memory_order_relaxed); }

 private:
  alignas(base::kCacheLineBytes) base::SpinLock lock_;
  base::IntrusiveQueue<Goroutine> queue_;  // guarded by lock_
  std::atomic<std::size_t> size_{0};
};

}  // namespace tandem::sched
