#pragma once
// The timers of one processor: a 4-ary heap ordered by time, under a spin lock that is hardly ever contended. Times lie in
// the heap's own array, so that sifting reads the nodes only to write their index.

#include <atomic>
#include <cstdint>
#include <vector>

#include "runtime/base/cache_line.h"
#include "runtime/base/spin_lock.h"
#include "sched/timers.h"

namespace tandem::sched {

class TimerHeap {
 public:
  static constexpr std::uint64_t kNever = UINT64_MAX;

  /// Time of the earliest timer, kNever without one. Sequentially consistent: arm() stores it, then looks whether somebody
  /// sleeps beyond it; who goes to sleep announces that, then reads it (idle.cpp).
  std::uint64_t next_ns() const { return next_ns_.load(std::memory_order_seq_cst); }
  std::uint64_t next_ns_relaxed() const { return next_ns_.load(std::memory_order_relaxed); }

  base::SpinLock lock;

  // -- With the lock held.
  void insert(TimerNode& node, std::uint64_t when_ns);  // may throw std::bad_alloc, before any change
  void remove(TimerNode& node);
  /// The earliest node if its time is at most `now_ns`, else null.
  TimerNode* expired(std::uint64_t now_ns) const {
    return entries_.empty() || entries_.front().when_ns > now_ns ? nullptr : entries_.front().node;
  }
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::uint64_t when_ns;
    TimerNode* node;
  };
  static constexpr std::size_t kArity = 4;

  void place(std::size_t index, Entry entry);
  void sift_up(std::size_t index, Entry entry);
  void sift_down(std::size_t index, Entry entry);
  void publish_next();

  std::vector<Entry> entries_;
  std::atomic<std::uint64_t> next_ns_{kNever};
};

/// Runs the timers of `owner` that have expired at `now_ns`, on the calling worker, which drives `here`. Returns how many.
std::uint32_t run_expired(Processor& owner, Processor& here, std::uint64_t now_ns);

}  // namespace tandem::sched
