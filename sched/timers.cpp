#include "sched/timers.h"

#include <mutex>

#include "runtime/base/assert.h"
#include "sched/idle.h"
#include "sched/processor_state.h"
#include "sched/timer_heap.h"

namespace tandem::sched {

void TimerHeap::place(std::size_t index, Entry entry) {
  entries_[index] = entry;
  entry.node->heap_index = static_cast<std::uint32_t>(index);
}

void TimerHeap::sift_up(std::size_t index, Entry entry) {
  while (index > 0) {
    const std::size_t parent = (index - 1) / kArity;
    if (entries_[parent].when_ns <= entry.when_ns) break;
    place(index, entries_[parent]);
    index = parent;
  }
  place(index, entry);
}

void TimerHeap::sift_down(std::size_t index, Entry entry) {
  const std::size_t size = entries_.size();
  for (;;) {
    const std::size_t first = index * kArity + 1;
    if (first >= size) break;
    const std::size_t end = first + kArity < size ? first + kArity : size;
    std::size_t least = first;
    for (std::size_t child = first + 1; child < end; ++child)
      if (entries_[child].when_ns < entries_[least].when_ns) least = child;
    if (entries_[least].when_ns >= entry.when_ns) break;
    place(index, entries_[least]);
    index = least;
  }
  place(index, entry);
}

void TimerHeap::publish_next() {
  const std::uint64_t next = entries_.empty() ? kNever : entries_.front().when_ns;
  if (next != next_ns_.load(std::memory_order_relaxed)) next_ns_.store(next, std::memory_order_seq_cst);
}

void TimerHeap::insert(TimerNode& node, std::uint64_t when_ns) {
  entries_.push_back({});
  sift_up(entries_.size() - 1, {when_ns, &node});
  publish_next();
}

void TimerHeap::remove(TimerNode& node) {
  const std::size_t index = node.heap_index;
  TANDEM_ASSERT(index < entries_.size() && entries_[index].node == &node);
  const Entry last = entries_.back();
  entries_.pop_back();
  node.heap_index = TimerNode::kNotInHeap;
  if (last.node != &node) {
    if (index > 0 && entries_[(index - 1) / kArity].when_ns > last.when_ns)
      sift_up(index, last);
    else
      sift_down(index, last);
  }
  publish_next();
}

void arm(TimerNode& node, std::uint64_t when_ns, Processor& here) {
  TANDEM_ASSERT(node.heap_of.load(std::memory_order_relaxed) == nullptr);
  TimerHeap& heap = here.sched->timers;
  {
    const std::lock_guard guard(heap.lock);
    heap.insert(node, when_ns);
    node.when_ns = when_ns;
    // Release: pairs with the acquire in disarm(). The node is not touched after the lock is given up: it may fire, and
    // whoever it wakes may destroy it.
    node.heap_of.store(&here, std::memory_order_release);
  }
  wake_sleeper_before(when_ns);
}

bool disarm(TimerNode& node) {
  bool removed = false;
  // Acquire: sees the heap the node is in; and if it has been popped, that it is firing.
  while (Processor* owner = node.heap_of.load(std::memory_order_acquire)) {
    TimerHeap& heap = owner->sched->timers;
    const std::lock_guard guard(heap.lock);
    if (node.heap_of.load(std::memory_order_relaxed) != owner) continue;
    heap.remove(node);
    node.heap_of.store(nullptr, std::memory_order_relaxed);
    removed = true;
    break;
  }
  // Acquire: what the callback did is visible to us. Also when removed: a callback may have armed its node again.
  while (node.firing.load(std::memory_order_acquire)) base::cpu_relax();
  return removed;
}

std::uint32_t run_expired(Processor& owner, Processor& here, std::uint64_t now_ns) {
  TimerHeap& heap = owner.sched->timers;
  std::uint32_t fired = 0;
  while (heap.next_ns_relaxed() <= now_ns) {
    TimerNode* node = nullptr;
    {
      const std::lock_guard guard(heap.lock);
      node = heap.expired(now_ns);
      if (node == nullptr) break;
      heap.remove(*node);
      node->firing.store(true, std::memory_order_relaxed);
      node->heap_of.store(nullptr, std::memory_order_release);  // publishes `firing` to disarm()
    }
    node->fire(*node, here);
    // Release: pairs with disarm(). The last access: the owner may destroy the node now.
    node->firing.store(false, std::memory_order_release);
    ++fired;
  }
  return fired;
}

}  // namespace tandem::sched
