#include "sched/timers.h"

#include <mutex>

#include "runtime/base/assert.h"
#include "sched/idle.h"
#include "sched/processor_state.h"
#include "sched/timer_wheel.h"

namespace tandem::sched {

void arm(TimerNode& node, std::uint64_t when_ns, Processor& here) {
  TANDEM_ASSERT(node.armed_on.load(std::memory_order_relaxed) == nullptr);
  TimerWheel& wheel = here.sched->timers;
  {
    const std::lock_guard guard(wheel.lock);
    wheel.insert(node, when_ns);
    node.when_ns = when_ns;
    // Release: pairs with the acquire in disarm(). The node is not touched after the lock is given up: it may fire, and
    // whoever it wakes may destroy it.
    node.armed_on.store(&here, std::memory_order_release);
  }
  wake_sleeper_before(when_ns);
}

bool disarm(TimerNode& node) {
  bool removed = false;
  // Acquire: sees the wheel the node is in; and if it has been popped, that it is firing.
  while (Processor* owner = node.armed_on.load(std::memory_order_acquire)) {
    TimerWheel& wheel = owner->sched->timers;
    const std::lock_guard guard(wheel.lock);
    if (node.armed_on.load(std::memory_order_relaxed) != owner) continue;
    wheel.remove(node);
    node.armed_on.store(nullptr, std::memory_order_relaxed);
    removed = true;
    break;
  }
  // Acquire: what the callback did is visible to us. Also when removed: a callback may have armed its node again.
  while (node.firing.load(std::memory_order_acquire)) base::cpu_relax();
  return removed;
}

std::uint32_t run_expired(Processor& owner, Processor& here, std::uint64_t now_ns) {
  TimerWheel& wheel = owner.sched->timers;
  std::uint32_t fired = 0;
  while (wheel.next_ns_relaxed() <= now_ns) {
    TimerNode* node = nullptr;
    {
      const std::lock_guard guard(wheel.lock);
      node = wheel.expired(now_ns);
      if (node == nullptr) break;
      wheel.remove(*node);
      node->firing.store(true, std::memory_order_relaxed);
      node->armed_on.store(nullptr, std::memory_order_release);  // publishes `firing` to disarm()
    }
    node->fire(*node, here);
    // Release: pairs with disarm(). The last access: the owner may destroy the node now.
    node->firing.store(false, std::memory_order_release);
    ++fired;
  }
  return fired;
}

}  // namespace tandem::sched
