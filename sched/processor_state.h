#pragma once
// The scheduler's part of a processor. Fields are grouped by who writes them; "owner" is the worker that drives it.

#include <atomic>
#include <cstdint>

#include "runtime/base/cache_line.h"
#include "runtime/base/random.h"
#include "runtime/context/stack.h"
#include "runtime/seam/goroutine.h"
#include "runtime/seam/processor.h"
#include "sched/owned_counter.h"
#include "sched/run_queue.h"
#include "sched/task_deque.h"
#include "sched/timer_wheel.h"

namespace tandem::sched {

struct alignas(base::kCacheLineBytes) ProcessorState {
  static constexpr std::int32_t kTurnsMax = 61;  // switches between two looks at injection queue, timers and poller

  ProcessorState(context::StackArena& arena, std::uint64_t seed, bool has_thieves)
      : queue(has_thieves), tasks(has_thieves), random(seed), stacks(arena) {}

  /// Owner; in each round of turns.
  void forget_reached_marks() {
    for (RingMark* mark : {&passed_by, &polled, &woken}) mark->forget_if_reached(queue);
  }

  /// Something that a thief could take. Anybody; a hint, exact when the owner is quiet.
  bool has_queued() const { return !queue.ring_empty() || !tasks.empty(); }

  RunQueue queue;
  TaskDeque tasks;

  // -- Owner writes, anybody reads. With turns_left all that a switch writes, in one line.
  alignas(base::kCacheLineBytes) OwnedCounter switches;
  OwnedCounter slices;  // switches that started a new time slice
  OwnedCounter parks, wakeups;
  OwnedCounter spawned, finished;
  OwnedCounter blocking_calls;  // tells one from the next

  // -- Owner.
  std::int32_t turns_left = 0;
  std::int32_t turn_budget = kTurnsMax;  // adapted so that a round of turns takes less than 100 us
  bool injected_first = false;           // the last round began with the injection queue
  bool injection_put_off = false;        // ... or should have, but something had just woken
  /// What injected goroutines went before: none go before it again.
  RingMark passed_by;
  /// What the last poll has made runnable here. It gets a turn before the next poll; else, with more connections than the ring
  /// has room for, those that are answered would be back in the ring, time and again, before those that it has overflowed with.
  /// So these wait in the kernel, first come, first served.
  RingMark polled;
  /// What timers or the poller have woken: who runs before it has short slices. The monitor reads it.
  RingMark woken;
  Goroutine* free_descriptors = nullptr;
  std::uint32_t free_count = 0;
  std::uint64_t next_id = 0, id_limit = 0;
  std::uint64_t now_ns = 0;  // as of the last look around
  std::uint64_t round_start_ns = 0;
  base::Random random;
  context::StackCache stacks;
  OwnedCounter steals, preemptions;  // anybody reads, as the two below
  OwnedCounter network_polls, network_polls_while_marking;

  TimerWheel timers;

  /// The monitor's mark: `switches` when it found a goroutine waiting in the next slot behind one that runs
  /// for long. While they are equal, thieves may take it (RunQueue, Q6).
  std::atomic<std::uint64_t> stuck_at_switches{UINT64_MAX};

  // -- Guarded by IdleState::lock.
  seam::Processor* next_idle = nullptr;

  // -- The monitor's.
  struct Observation {
    std::uint64_t slices = 0, slice_since_ns = 0;
    std::uint64_t switches = 0;
    std::uint64_t unserved_since_ns = 0, unserved_switches = 0;
    bool reported = false;
    std::uint64_t blocking_call = 0;
  } observed;
};

}  // namespace tandem::sched
