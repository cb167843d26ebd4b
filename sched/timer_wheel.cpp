#include "sched/timer_wheel.h"

#include <algorithm>
#include <bit>

#include "runtime/base/assert.h"

namespace tandem::sched {

/// Where a time belongs under the horizon of now; a timer stays there until its spoke is dealt out, because the horizon moves
/// only within the first digits that they share. One that came too late lies at the horizon.
TimerWheel::Position TimerWheel::position_of(std::uint64_t when_ns) const {
  const std::uint64_t time = std::max(when_ns, horizon_ns_);
  const std::uint64_t differing = time ^ horizon_ns_;
  const std::uint32_t level = static_cast<std::uint32_t>(std::bit_width(differing | 1) - 1) / kDigitBits;
  return {level, static_cast<std::uint32_t>(time >> (level * kDigitBits)) % kSpokes};
}

void TimerWheel::append(std::uint32_t index) {
  Entry& entry = entries_[index];
  const Position position = position_of(entry.when_ns);
  Spoke& spoke = spoke_at(position);
  entry.next = kNone;
  entry.previous = spoke.last;
  if (spoke.last == kNone) {
    spoke.first = index;
    spokes_used_[position.level] |= std::uint64_t{1} << position.spoke;
    levels_used_ |= 1u << position.level;
  } else {
    entries_[spoke.last].next = index;
  }
  spoke.last = index;
  spoke.earliest_ns = std::min(spoke.earliest_ns, entry.when_ns);
}

void TimerWheel::unlink(std::uint32_t index) {
  const Entry& entry = entries_[index];
  const Position position = position_of(entry.when_ns);
  Spoke& spoke = spoke_at(position);
  (entry.previous != kNone ? entries_[entry.previous].next : spoke.first) = entry.next;
  (entry.next != kNone ? entries_[entry.next].previous : spoke.last) = entry.previous;
  if (spoke.first != kNone) return;  // earliest_ns may be too early now
  spoke.earliest_ns = kNever;
  spokes_used_[position.level] &= ~(std::uint64_t{1} << position.spoke);
  if (spokes_used_[position.level] == 0) levels_used_ &= ~(1u << position.level);
}

bool TimerWheel::lowest(Position& position) const {
  if (levels_used_ == 0) return false;
  position.level = static_cast<std::uint32_t>(std::countr_zero(levels_used_));
  position.spoke = static_cast<std::uint32_t>(std::countr_zero(spokes_used_[position.level]));
  return true;
}

/// The lowest spoke, which is of a level above 0: nothing lies below it, so the horizon may move to its earliest time.
void TimerWheel::deal_out(Position position) {
  Spoke& spoke = spoke_at(position);
  std::uint32_t index = spoke.first;
  horizon_ns_ = spoke.earliest_ns;
  spoke = {};
  spokes_used_[position.level] &= ~(std::uint64_t{1} << position.spoke);
  if (spokes_used_[position.level] == 0) levels_used_ &= ~(1u << position.level);
  while (index != kNone) {
    const std::uint32_t next = entries_[index].next;
    append(index);
    index = next;
  }
}

void TimerWheel::publish_next() {
  Position position;
  const std::uint64_t next = lowest(position) ? spoke_at(position).earliest_ns : kNever;
  if (next != next_ns_.load(std::memory_order_relaxed)) next_ns_.store(next, std::memory_order_seq_cst);
}

void TimerWheel::insert(TimerNode& node, std::uint64_t when_ns) {
  std::uint32_t index = free_;
  if (index != kNone) {
    free_ = entries_[index].next;
  } else {
    index = static_cast<std::uint32_t>(entries_.size());
    entries_.push_back({});
  }
  entries_[index].when_ns = when_ns;
  entries_[index].node = &node;
  node.entry = index;
  append(index);
  ++size_;
  if (when_ns < next_ns_.load(std::memory_order_relaxed)) publish_next();
}

void TimerWheel::remove(TimerNode& node) {
  const std::uint32_t index = node.entry;
  TANDEM_ASSERT(index < entries_.size() && entries_[index].node == &node);
  unlink(index);
  entries_[index].node = nullptr;
  entries_[index].next = free_;
  free_ = index;
  --size_;
  publish_next();
}

TimerNode* TimerWheel::expired(std::uint64_t now_ns) {
  for (Position position; lowest(position) && spoke_at(position).earliest_ns <= now_ns; deal_out(position))
    if (position.level == 0) return entries_[spoke_at(position).first].node;
  publish_next();
  return nullptr;
}

}  // namespace tandem::sched
