#include "sched/simulation.h"

#include <atomic>

#include "runtime/base/clock.h"
#include "runtime/seam/phase.h"
#include "runtime/seam/registry.h"
#include "runtime/seam/requests.h"
#include "sched/foreign.h"
#include "sched/shared.h"
#include "sched/switch.h"

namespace tandem::sched {

namespace {

// How often, as one in so many: rare enough that a goroutine gets somewhere between two switches.
constexpr std::uint32_t kPolls = 8;
constexpr std::uint32_t kNextSlots = 4;
constexpr std::uint32_t kQuanta = 4;

std::atomic<std::uint64_t> hash{0};

void offer_quantum(Processor& here) {
  if (seam::registry.collector->has_work() && here.sched->random.below(kQuanta) == 0)
    seam::post_request(here, seam::kRequestCollectorQuantum);
}

bool outside_may_wake() {
  const seam::PollerPort* const poller = seam::registry.poller;
  if ((poller != nullptr && poller->waiters() > 0) || external_wakers() > 0 || posts_under_way()) return true;
  for (std::uint32_t i = 0; i < shared->worker_count.load(std::memory_order_acquire); ++i) {
    const Worker* const worker = shared->workers[i].load(std::memory_order_acquire);
    if (worker != nullptr && worker->in_blocking.load(std::memory_order_acquire)) return true;
  }
  return false;
}

}  // namespace

void start_simulation() {
  hash.store(1, std::memory_order_relaxed);
  base::start_virtual_time();
}

void stop_simulation() {
  base::stop_virtual_time();
  hash.store(0, std::memory_order_relaxed);
}

void shuffle(Processor& here) {
  ProcessorState& mine = *here.sched;
  if (!mine.queue.has_next() || mine.random.below(kNextSlots) != 0) return;
  if (Goroutine* const next = mine.queue.take_next()) push_local(*next, here);
}

void note_resumed(const Goroutine& goroutine, Processor& here) {
  // Identities are unique in the process; within a run they count from the first goroutine's.
  const std::uint64_t who = goroutine.id - shared->first_goroutine->id;
  const std::uint64_t before = hash.load(std::memory_order_relaxed);
  hash.store((before ^ who) * 0x9e3779b97f4a7c15 ^ before >> 32, std::memory_order_relaxed);
  seam::coarse_now_ns.store(here.sched->now_ns, std::memory_order_relaxed);
  offer_quantum(here);
  seam::post_request(here, seam::kRequestPreempt);
}

bool yields_at_poll(Processor& here) {
  if (here.sched->random.below(kPolls) == 0) return true;
  offer_quantum(here);
  seam::post_request(here, seam::kRequestPreempt);
  return false;
}

bool jump_to_next_timer(Processor& here) {
  const std::uint64_t next = here.sched->timers.next_ns_relaxed();
  if (next == TimerWheel::kNever || outside_may_wake()) return false;
  base::advance_virtual_time(next);
  return true;
}

std::uint64_t schedule_hash() { return hash.load(std::memory_order_relaxed); }

}  // namespace tandem::sched
