#include "sched/ending.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <unistd.h>

#include "runtime/base/assert.h"
#include "runtime/base/clock.h"
#include "runtime/seam/registry.h"
#include "sched/dump.h"
#include "sched/foreign.h"
#include "sched/shared.h"
#include "sched/spawn.h"
#include "sched/timers.h"
#include "tandem/runtime.h"

namespace tandem::sched {

namespace {

/// How often those that are left are cancelled once more: one that was under construction when it was looked at has started.
constexpr std::uint64_t kFirstRepeatNs = 5'000'000;
constexpr std::uint64_t kLastRepeatNs = 200'000'000;

struct LastWait : TimerNode {
  Goroutine* goroutine = nullptr;
  std::uint64_t ticket = 0;  // of the first goroutine's present park
};

LastWait* the_last_wait = nullptr;
base::SpinLock the_last_wait_lock;

bool is_other(const Goroutine& goroutine) {
  return goroutine.state.load(std::memory_order_acquire) != seam::kDead &&
         !(flags_of(goroutine) & (seam::kRuntimeGoroutine | seam::kFirstGoroutine));
}

void cancel_others(Goroutine& self) {
  seam::GoroutineTable& table = seam::registry.goroutines;
  for (std::size_t index = 0; index < table.used(); ++index) {
    Goroutine& goroutine = table.at(index);
    if (is_other(goroutine)) cancel(goroutine, processor_of(self));
  }
}

bool only_first_is_left() { return live_goroutines() <= 1; }

void end_wait(TimerNode& node, Processor& here) {
  auto& wait = static_cast<LastWait&>(node);
  Goroutine& first = *wait.goroutine;
  if (claim(first, wait.ticket)) ready(first, here);
}

bool commit_wait(Goroutine& parked, void* argument) {
  auto& wait = *static_cast<LastWait*>(argument);
  {
    const std::lock_guard guard(the_last_wait_lock);
    the_last_wait = &wait;
  }
  // Between that and the count: a goroutine that ends later finds the wait; one that ended before is not
  // counted. (One that ends at this very moment may miss both, see retire(): then the timer makes up for it.)
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (only_first_is_left()) return false;
  arm(wait, wait.when_ns, processor_of(parked));
  return true;
}

void wait_a_little(Goroutine& self, std::uint64_t until_ns) {
  LastWait wait;
  wait.goroutine = &self;
  wait.when_ns = until_ns;
  wait.fire = &end_wait;
  wait.ticket = open_ticket(self);
  park_within_call(self, "end of the other goroutines", nullptr, &commit_wait, &wait);
  {
    const std::lock_guard guard(the_last_wait_lock);
    the_last_wait = nullptr;
  }
  disarm(wait);
}

[[noreturn]] void report_those_left(std::uint64_t grace_ms) {
  std::fflush(stdout);
  std::fprintf(
      stderr,
      "fatal: main has returned, but %llu goroutine(s) went on for %llu ms (shutdown_grace) after they were cancelled; "
      "a goroutine ends when it blocks, yields, or returns:\n\n",
      static_cast<unsigned long long>(live_goroutines() - 1), static_cast<unsigned long long>(grace_ms));
  dump_others(stderr);
  std::fflush(stderr);
  _exit(2);
}

/// Returns when all others have ended; while they keep ending it waits, however many there are.
void await_others(Goroutine& self) {
  const auto grace_ms = static_cast<std::uint64_t>(seam::registry.options->shutdown_grace.count());
  std::uint64_t left = live_goroutines();
  std::uint64_t deadline_ns = base::now_ns() + grace_ms * 1'000'000;
  std::uint64_t pause_ns = kFirstRepeatNs;
  while (!only_first_is_left()) {
    cancel_others(self);
    const std::uint64_t now = base::now_ns();
    if (const std::uint64_t now_left = live_goroutines(); now_left < left) {
      left = now_left;
      deadline_ns = now + grace_ms * 1'000'000;
    } else if (now >= deadline_ns && !only_first_is_left()) {
      report_those_left(grace_ms);
    }
    wait_a_little(self, std::min(now + pause_ns, std::max(deadline_ns, now)));
    pause_ns = std::min(2 * pause_ns, kLastRepeatNs);
  }
}

}  // namespace

void goroutine_ended_while_ending(Processor& here) {
  if (!only_first_is_left()) return;
  Goroutine* first = nullptr;
  {
    // The first goroutine takes the wait back under the lock before it goes on: it is alive in here.
    const std::lock_guard guard(the_last_wait_lock);
    if (the_last_wait != nullptr && claim(*the_last_wait->goroutine, the_last_wait->ticket))
      first = the_last_wait->goroutine;
  }
  if (first != nullptr) ready(*first, here);
}

void end_run(Goroutine& first) {
  close_foreign_gate();
  // Sequentially consistent: pairs with the loads in begin_spawn and retire.
  shared->ending.store(true, std::memory_order_seq_cst);
  await_others(first);
  empty_graveyard(processor_of(first));
  // Destructors may start goroutines; these are born cancelled, but have closures to be destroyed.
  seam::registry.collector->finish_run();
  await_others(first);
  empty_graveyard(processor_of(first));
  shared->stopping.store(true, std::memory_order_seq_cst);
  seam::registry.world_stop.close();
  wake_everybody();
}

}  // namespace tandem::sched
