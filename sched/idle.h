#pragma once
// Processors without work and workers without a processor: who sleeps, who is woken, and why no wake-up is lost.
//
//   I1  Submit, then check idle: who makes a goroutine visible (ring, injection queue) has a sequentially consistent fence
//       between that and its look at `searching` and `idle_processors` (wake_for_work).
//   I2  Idle, then recheck: who gives its processor up counts itself in `idle_processors`, leaves `searching` (both
//       sequentially consistent), and only then looks at all queues once more.
//       Of I1 and I2 one sees the other: the submitter finds the idle processor, or the worker finds the goroutine.
//   I3  A submitter wakes nobody while somebody searches: the searching worker, when it stops searching because it found
//       something, looks at all queues after leaving `searching`, and wakes the next one (chained wake-ups).
//   I4  At most one sleeping worker watches: it sleeps in the poller, up to the earliest timer of any processor. It announces
//       how long it will sleep (watch_until) before it reads the timers; who arms one stores its time, then reads
//       watch_until, and interrupts the sleep if it is too long.
//   I5  Timers that follow one upon another are taken together: the watcher wakes for them once in 50 us. That is what a wake-up
//       takes anyway, so a goroutine that sleeps again and again notices nothing.
//   I6  A watcher that finds events takes a processor, is counted in `searching`, makes the goroutines runnable there and runs the
//       first: a request that comes alone costs one wake-up, the kernel's. Nobody watches then, so while that goroutine runs
//       nobody sees further events but the monitor, which has another worker watch after a millisecond.
//
// Rejected: waking for the next slot (14.5 us for a goroutine that runs within one; the monitor and the search of workers
// that are awake anyway take what stays there); a wake-up per spawned goroutine (chaining is enough).

#include <atomic>
#include <cstdint>

#include "runtime/base/cache_line.h"
#include "runtime/base/spin_lock.h"
#include "sched/worker.h"

namespace tandem::sched {

struct IdleState {
  alignas(base::kCacheLineBytes) std::atomic<std::uint32_t> idle_processors{0};
  std::atomic<std::uint32_t> searching{0};
  /// 0: nobody watches. Else the time up to which the watcher sleeps; UINT64_MAX also while it finds that out.
  alignas(base::kCacheLineBytes) std::atomic<std::uint64_t> watch_until_ns{0};
  std::atomic<Worker*> watcher{nullptr};
  /// Not before this time does the watcher wake for a timer again. The watcher's; `watcher` passes it on.
  std::uint64_t next_timer_wake_ns = 0;

  base::SpinLock lock;
  Processor* processors = nullptr;  // guarded by lock; last in, first out: warm caches
  Worker* workers = nullptr;        // guarded by lock
};

/// To be called after something became runnable in a ring or in the injection queue; wakes a worker if that is useful (I1).
void wake_for_work();
/// The same without the fence: a miss is made up for by the caller's next call (yield).
void wake_for_work_relaxed();
/// Hands idle processors to up to `count` workers, whether or not somebody searches.
void wake_workers(std::uint32_t count);
/// A timer was armed for this time: makes sure that the watcher, or the monitor, does not sleep past it (I4).
void wake_sleeper_before(std::uint64_t when_ns);
/// Wakes every sleeping worker, with or without a processor for it: the run is over.
void wake_everybody();

/// Gives the worker's processor up and sleeps. On return it drives one again, or the run is over.
void become_idle(Worker& worker);
/// The same for a worker that has none.
void wait_for_processor(Worker& worker);

/// Leaves the state of searching; `found`: because there is something to run (I3).
void stop_searching(Worker& worker, bool found);
/// May one more worker search? At most half as many as are busy.
bool start_searching(Worker& worker);

/// Takes an idle processor for `worker` and drives it; false when there is none.
bool take_idle_processor(Worker& worker);
/// Makes `worker` the driver of a processor that it owns by having taken it off the idle list or been handed it.
void drive(Worker& worker, Processor& processor);
/// Hands a processor that nobody drives (status idle, not on the list) to a worker, or puts it on the idle list if there is
/// nothing to do for it.
void hand_off(Processor& processor);

}  // namespace tandem::sched
