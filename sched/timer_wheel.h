#pragma once
// The timers of one processor: a hierarchical timing wheel (Varghese and Lauck, "Hashed and hierarchical timing wheels", 1987)
// that keeps the exact order, under a spin lock that is hardly ever contended.
//
// A time is a number of eleven digits to the base 64. Against the horizon, which no timer in the wheel precedes, a time
// belongs to the level of the first digit in which the two differ, and there to the spoke of that digit. So all of one
// level come before all of the next; of one level, those of a lower spoke first; and on level 0 a spoke is a single time.
// Arming appends to a spoke. The earliest are found by dealing the lowest spoke out to lower levels, with the horizon moved to
// that spoke's earliest time: a timer is moved once a level, and one that is alone in its spoke goes to level 0 at once.
//
// Links lie in an array of their own, 24 bytes a timer: what lies scattered over the heap, the timers themselves, is not
// touched before they fire.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/base/spin_lock.h"
#include "sched/timers.h"

namespace tandem::sched {

class TimerWheel {
 public:
  static constexpr std::uint64_t kNever = UINT64_MAX;

  /// Not later than the earliest timer, and mostly its time (earlier if that was disarmed while others share its spoke);
  /// kNever without one. Sequentially consistent: arm() stores it, then looks whether somebody sleeps beyond it; who goes to
  /// sleep announces that, then reads it (idle.cpp).
  std::uint64_t next_ns() const { return next_ns_.load(std::memory_order_seq_cst); }
  std::uint64_t next_ns_relaxed() const { return next_ns_.load(std::memory_order_relaxed); }

  base::SpinLock lock;

  // -- With the lock held.
  void insert(TimerNode& node, std::uint64_t when_ns);  // may throw std::bad_alloc, before any change
  void remove(TimerNode& node);
  /// The earliest node if its time is at most `now_ns`, else null. Of those of one time the one that was armed first.
  TimerNode* expired(std::uint64_t now_ns);
  std::size_t size() const { return size_; }

 private:
  static constexpr std::uint32_t kDigitBits = 6;
  static constexpr std::uint32_t kSpokes = 1u << kDigitBits;
  static constexpr std::uint32_t kLevels = (64 + kDigitBits - 1) / kDigitBits;
  static constexpr std::uint32_t kNone = UINT32_MAX;

  struct Entry {
    std::uint64_t when_ns;
    TimerNode* node;  // null: free
    std::uint32_t next;
    std::uint32_t previous;
  };
  struct Spoke {
    std::uint64_t earliest_ns = kNever;
    std::uint32_t first = kNone;
    std::uint32_t last = kNone;
  };
  struct Position {
    std::uint32_t level;
    std::uint32_t spoke;
  };

  Position position_of(std::uint64_t when_ns) const;
  Spoke& spoke_at(Position position) { return spokes_[position.level][position.spoke]; }
  void append(std::uint32_t index);
  void unlink(std::uint32_t index);
  bool lowest(Position& position) const;  // false: there are none
  void deal_out(Position position);
  void publish_next();

  std::uint64_t horizon_ns_ = 0;
  std::size_t size_ = 0;
  std::uint32_t free_ = kNone;  // list of free entries
  std::uint32_t levels_used_ = 0;
  std::vector<Entry> entries_;
  std::atomic<std::uint64_t> next_ns_{kNever};
  std::array<std::uint64_t, kLevels> spokes_used_{};
  std::array<std::array<Spoke, kSpokes>, kLevels> spokes_{};
};

/// Runs the timers of `owner` that have expired at `now_ns`, on the calling worker, which drives `here`. Returns how many.
std::uint32_t run_expired(Processor& owner, Processor& here, std::uint64_t now_ns);

}  // namespace tandem::sched
