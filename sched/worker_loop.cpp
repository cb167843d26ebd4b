// The scheduler loop of a worker. What is done in which order, and why:
//
//   1. requests       a handshake must not wait; a processor with one pending runs no goroutine
//   2. timers, poller when due (100 us, and what it has woken has run): what they wake comes before anything else that is runnable
//   3. injection      once in a round of turns: local work must not starve preempted goroutines
//   4. local          next slot, tasks, ring; once in a round the ring before the tasks, which inherit the time slice
//   5. injection, poller
//   6. other processors' rings and timers, in random order
//   7. the collector's idle work, in portions of 100 us
//   8. sleep

#include <sched.h>

#include <algorithm>
#include <array>
#include <utility>

#include "runtime/base/clock.h"
#include "runtime/seam/registry.h"
#include "runtime/seam/requests.h"
#include "sched/direct_switch.h"
#include "sched/idle.h"
#include "sched/shared.h"
#include "sched/simulation.h"

namespace tandem::sched {

namespace {

constexpr std::uint64_t kLookIntervalNs =
    100'000;                                    // timers and poller wait no longer than this behind running goroutines
constexpr std::uint64_t kIdleWorkNs = 100'000;  // collector work between two looks for goroutines
constexpr std::uint64_t kSpinNs = 15'000;       // one wake-up of another CPU costs 14.5 us: spin as long, then sleep
constexpr std::uint32_t kInjectionBatch = 32, kInjectionBatchMax = RunQueue::kSlots / 2;
constexpr std::size_t kProcessorsMax = 256;  // Options::processors

}  // namespace

bool may_poll_network() {
  const seam::PollerPort* const poller = seam::registry.poller;
  if (poller == nullptr || poller->waiters() == 0) return false;
  return shared->netpoll_during_mark || !seam::is_marking(seam::current_phase());
}

namespace {

bool poll_network(Processor& here, std::uint64_t now) {
  if (!may_poll_network()) return false;
  here.sched->network_polls.add();
  if (seam::is_marking(seam::current_phase())) here.sched->network_polls_while_marking.add();
  shared->last_poll_ns.store(now, std::memory_order_relaxed);
  if (seam::registry.poller->poll(0, &here) == 0) return false;
  here.sched->polled.set(here.sched->queue);
  return true;
}

struct Look {
  bool round_over;  // a round of turns is over, and the next has begun
  bool woke;        // timers or the poller have made goroutines runnable here
};

/// Timers and poller. A round has as many turns as take less than the interval.
Look look_around(Processor& here) {
  ProcessorState& mine = *here.sched;
  mine.now_ns = base::now_ns();
  mine.forget_reached_marks();
  bool woke = run_expired(here, here, mine.now_ns) > 0;
  if (!mine.polled.waits(mine.queue) &&
      mine.now_ns - shared->last_poll_ns.load(std::memory_order_relaxed) >= kLookIntervalNs)
    woke |= poll_network(here, mine.now_ns);
  if (woke) mine.woken.set(mine.queue);
  if (--mine.turns_left >= 0) return {false, woke};
  const std::uint64_t round_ns = mine.now_ns - mine.round_start_ns;
  if (round_ns > kLookIntervalNs)
    mine.turn_budget = mine.turn_budget > 1 ? mine.turn_budget / 2 : 1;
  else if (round_ns < kLookIntervalNs / 2 && mine.turn_budget < ProcessorState::kTurnsMax)
    ++mine.turn_budget;
  mine.round_start_ns = mine.now_ns;
  mine.turns_left = shared->zeal ? 0 : mine.turn_budget;
  return {true, woke};
}

Goroutine* take_injected(Processor& here) {
  if (shared->injection.empty()) return nullptr;
  // A fair share of it, so that the lock is taken rarely and the others find some too. Beside a long ring as many as that has
  // goroutines, if it does not overflow with them.
  const std::size_t share = shared->injection.size() / seam::registry.processor_count + 1;
  const std::uint32_t ring = here.sched->queue.ring_size();
  const std::size_t batch = std::max(kInjectionBatch, std::min(ring, (RunQueue::kSlots - ring) / 2));
  Goroutine* taken[kInjectionBatchMax];
  const std::size_t count = shared->injection.pop_batch(taken, std::min(share, batch));
  for (std::size_t i = 1; i < count; ++i) push_local(*taken[i], here);
  return count > 0 ? taken[0] : nullptr;
}

Goroutine* take_from_ring(Processor& here) {
  ProcessorState& mine = *here.sched;
  Goroutine* const goroutine = mine.queue.pop();
  if (goroutine == nullptr) return nullptr;
  mine.slices.add();
  return goroutine;
}

Goroutine* take_local(Processor& here, bool ring_first = false) {
  ProcessorState& mine = *here.sched;
  if (Goroutine* next = mine.queue.take_next()) return next;
  if (ring_first)
    if (Goroutine* oldest = take_from_ring(here)) return oldest;
  if (Goroutine* youngest = mine.tasks.pop()) return youngest;
  return take_from_ring(here);
}

/// What a thief may take from next slots (Q6).
class NextSlotRule {
 public:
  NextSlotRule() {}  // the array is left as it is: most rules do not use it
  /// Remembers how far each processor is: next_slot_waits() is true for those that have not switched since.
  void remember() {
    for (const Processor& processor : seam::registry.all_processors())
      switches_[processor.index] = processor.sched->switches.read();
    remembers_ = true;
  }
  void take_all() { all_ = true; }

  bool may_take(const Processor& victim) const {
    const ProcessorState& state = *victim.sched;
    if (!state.queue.has_next()) return false;
    const std::uint64_t switches = state.switches.read();
    return all_ || switches == state.stuck_at_switches.load(std::memory_order_relaxed) ||
           (remembers_ && switches == switches_[victim.index]);
  }

 private:
  std::array<std::uint64_t, kProcessorsMax> switches_;  // filled by remember()
  bool remembers_ = false;
  bool all_ = false;
};

/// One pass over the other processors, from a random one on.
Goroutine* steal_once(Processor& here, const NextSlotRule& rule) {
  const std::uint32_t count = seam::registry.processor_count;
  ProcessorState& mine = *here.sched;
  const std::uint32_t start = mine.random.below(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    Processor& victim = seam::registry.processors[(start + i) % count];
    if (&victim == &here) continue;
    ProcessorState& other = *victim.sched;
    Goroutine* goroutine = mine.queue.steal_from(other.queue);
    if (goroutine == nullptr) goroutine = other.tasks.steal();
    if (goroutine == nullptr && rule.may_take(victim)) goroutine = other.queue.steal_next();
    if (goroutine == nullptr && other.timers.next_ns_relaxed() != TimerWheel::kNever) {
      run_expired(victim, here, base::now_ns());
      goroutine = take_local(here);
      if (goroutine != nullptr) return goroutine;
    }
    if (goroutine == nullptr) continue;
    mine.steals.add();
    mine.slices.add();
    return goroutine;
  }
  return nullptr;
}

/// Zeal: whatever can be had.
Goroutine* steal_all(Processor& here) {
  NextSlotRule all;
  all.take_all();
  return steal_once(here, all);
}

/// Spinning pays if something comes meanwhile. Where work comes from outside it never does: then only a spin now and then, to find
/// out whether that has changed.
bool may_spin(Worker& worker) {
  constexpr std::uint32_t kVainSpinsMax = 4, kTryAgain = 16;
  if (!shared->spin || seam::registry.collector->has_work()) return false;
  return ++worker.spins % kTryAgain == 0 || worker.vain_spins < kVainSpinsMax;
}

/// Looks at the others for about as long as a wake-up would cost.
Goroutine* search(Worker& worker, Processor& here) {
  if (seam::registry.processor_count == 1 || !start_searching(worker)) return nullptr;
  const NextSlotRule marked;
  if (Goroutine* goroutine = steal_once(here, marked)) return goroutine;
  if (!may_spin(worker)) return nullptr;
  NextSlotRule unchanged;
  unchanged.remember();
  const std::uint64_t end = base::now_ns() + kSpinNs;
  Goroutine* goroutine = nullptr;
  do {
    for (int i = 0; i < 20; ++i) base::cpu_relax();
    if (seam::requests_pending(here) || shared->stopping.load(std::memory_order_relaxed)) return nullptr;
    if ((goroutine = take_injected(here)) || (goroutine = steal_once(here, marked))) break;
  } while (base::now_ns() < end);
  if (goroutine == nullptr) goroutine = steal_once(here, unchanged);
  worker.vain_spins = goroutine != nullptr ? 0 : worker.vain_spins + 1;
  return goroutine;
}

/// Steps 2 to 6. Null: nothing is runnable.
Goroutine* find_runnable(Worker& worker, Processor& here) {
  ProcessorState& mine = *here.sched;
  const Look look = look_around(here);
  Goroutine* goroutine = nullptr;
  if (shared->simulated) shuffle(here);
  if (shared->steal_always && (goroutine = steal_all(here))) return goroutine;
  // Not twice in a row: with goroutines that run for long a round may be a single turn. Not again before what
  // was in the ring then has had its turn, the rest of the injected batch for instance: or of many that are preempted again and
  // again some would not run at all. And after what has just woken, which would wait for the slice of a goroutine that was
  // preempted for its sake; but not always after it.
  const bool ring_is_due = mine.passed_by.waits(mine.queue);
  const bool injection_is_due = look.round_over && !mine.injected_first && !ring_is_due;
  mine.injection_put_off = injection_is_due && look.woke && !mine.injection_put_off;
  mine.injected_first = injection_is_due && !mine.injection_put_off && (goroutine = take_injected(here));
  if (goroutine != nullptr) {
    mine.passed_by.set(mine.queue);
    mine.slices.add();
    return goroutine;
  }
  if ((goroutine = take_local(here, look.round_over))) return goroutine;
  if ((goroutine = take_injected(here))) {
    mine.slices.add();
    return goroutine;
  }
  if (poll_network(here, mine.now_ns) && (goroutine = take_local(here))) return goroutine;
  return search(worker, here);
}

/// The goroutine is off every queue: takes its stack, scans it if that is due. False: put back, take another.
bool prepare_to_run(Goroutine& goroutine, Processor& here) {
  if (waits_for_scan(goroutine, here)) {
    push_local(goroutine, here);
    // Turns into the collector worker that is waited for. When there is nothing to do yet, other processors have still to reach
    // their safepoints.
    if (!seam::registry.collector->work(here, kIdleWorkNs, seam::WorkKind::kFractional)) ::sched_yield();
    return false;
  }
  if (!seam::take_to_run(goroutine, here)) {
    push_local(goroutine, here);
    return false;
  }
  if (seam::needs_scan(goroutine, here)) seam::registry.collector->scan(goroutine, here);
  if (goroutine.context.sp == nullptr) prepare_first_run(goroutine, here);
  return true;
}

/// With mark_idle off: what the monitor hands out, and no more.
bool work_for_share(Processor& here) {
  if (shared->idle_quanta.exchange(0, std::memory_order_relaxed) == 0) return false;
  return seam::registry.collector->work(here, seam::collector_quantum_ns(), seam::WorkKind::kFractional);
}

/// Step 7. True: something was done, look for goroutines again.
bool work_for_collector(Worker& worker, Processor& here) {
  worker.collector_refused = false;
  if (!seam::registry.collector->has_work()) return false;
  stop_searching(worker, false);
  const bool did = shared->mark_idle ? seam::registry.collector->work(here, kIdleWorkNs, seam::WorkKind::kIdle)
                                     : work_for_share(here);
  if (did) return true;
  worker.collector_refused = true;
  return false;
}

}  // namespace

void run_worker(Worker& worker) {
  while (!shared->stopping.load(std::memory_order_acquire)) {
    Processor* const driven = worker.processor.load(std::memory_order_relaxed);
    if (driven == nullptr) {  // lost in blocking(f)
      wait_for_processor(worker);
      continue;
    }
    Processor& here = *driven;
    if (seam::requests_pending(here)) seam::serve_requests(here);  // 1; nothing runs, so there is nothing to preempt
    Goroutine* const goroutine = find_runnable(worker, here);
    if (goroutine == nullptr) {
      if (work_for_collector(worker, here) || (shared->simulated && jump_to_next_timer(here))) continue;
      become_idle(worker);
      continue;
    }
    stop_searching(worker, true);
    if (seam::requests_pending(here)) seam::serve_requests(here);  // came while we searched
    if (!prepare_to_run(*goroutine, here)) continue;
    if (shared->simulated) note_resumed(*goroutine, here);
    if (shared->yield_every_poll) seam::post_request(here, seam::kRequestPreempt);
    resume_from_loop(worker, *goroutine);
  }
  stop_searching(worker, false);
  if (Processor* const driven = worker.processor.load(std::memory_order_relaxed)) {
    driven->worker = nullptr;
    driven->running = nullptr;
    seam::trace(*driven, seam::TraceKind::kProcessorStop);
    driven->status.store(seam::ProcessorStatus::kIdle, std::memory_order_release);
  }
}

}  // namespace tandem::sched
