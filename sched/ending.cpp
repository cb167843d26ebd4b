#include "sched/ending.h"

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
constexpr std::uint64_t kRepeatNs = 5'000'000;

struct LastWait : TimerNode {
  Goroutine* goroutine = nullptr;
  std::atomic<std::uint64_t> ticket{0};  // of the first goroutine's present park
};

LastWait* the_last_wait = nullptr;
base::SpinLock the_last_wait_lock;

bool is_other(const Goroutine& goroutine) {
  return goroutine.state.load(std::memory_order_acquire) != seam::kDead &&
         !(goroutine.flags & (seam::kRuntimeGoroutine | seam::kFirstGoroutine));
}

void cancel_others(Goroutine& self) {
  seam::GoroutineTable& table = seam::registry.goroutines;
  for (std::size_t index = 0; index < table.used(); ++index) {
    Goroutine& goroutine = table.at(index);
    if (is_other(goroutine)) cancel(goroutine, processor_of(self));
  }
}

bool only_first_is_left() { return live_goroutines() <= 1; }

void wake_first(LastWait& wait, Processor& here) {
  if (claim(*wait.goroutine, wait.ticket.load(std::memory_order_relaxed))) ready(*wait.goroutine, here);
}

/// With the lock held throughout: who wakes us takes it first, so that `wait` is alive until we are done with it.
bool commit_wait(Goroutine& parked, void* argument) {
  auto& wait = *static_cast<LastWait*>(argument);
  const std::lock_guard guard(the_last_wait_lock);
  the_last_wait = &wait;
  // Between that and the count: a goroutine that ends later takes the lock and finds the wait; one that ended before is
  // not counted (retire has the other fence).
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (only_first_is_left()) return false;
  arm(wait, wait.when_ns, processor_of(parked));
  return true;
}

void wait_a_little(Goroutine& self, std::uint64_t until_ns) {
  LastWait wait;
  wait.goroutine = &self;
  wait.when_ns = until_ns;
  wait.fire = [](TimerNode& node, Processor& here) { wake_first(static_cast<LastWait&>(node), here); };
  wait.ticket.store(open_ticket(self), std::memory_order_relaxed);
  park(self, "end of the other goroutines", nullptr, &commit_wait, &wait);
  {
    const std::lock_guard guard(the_last_wait_lock);
    the_last_wait = nullptr;
  }
  disarm(wait);
}

[[noreturn]] void report_those_left(std::uint64_t grace_ms) {
  std::fflush(stdout);
  std::fprintf(stderr,
               "fatal: main has returned, but %llu goroutine(s) went on for %llu ms (shutdown_grace) after they were cancelled; "
               "a goroutine ends when it blocks, yields, or returns:\n\n",
               static_cast<unsigned long long>(live_goroutines() - 1), static_cast<unsigned long long>(grace_ms));
  dump_others(stderr);
  std::fflush(stderr);
  _exit(2);
}

void await_others(Goroutine& self) {
  const auto grace = seam::registry.options->shutdown_grace;
  const std::uint64_t deadline_ns = base::now_ns() + static_cast<std::uint64_t>(grace.count()) * 1'000'000;
  while (!only_first_is_left()) {
    cancel_others(self);
    const std::uint64_t now = base::now_ns();
    if (now >= deadline_ns && !only_first_is_left()) report_those_left(static_cast<std::uint64_t>(grace.count()));
    wait_a_little(self, now + kRepeatNs < deadline_ns ? now + kRepeatNs : deadline_ns);
  }
}

}  // namespace

void goroutine_ended_while_ending(Processor& here) {
  if (!only_first_is_left()) return;
  const std::lock_guard guard(the_last_wait_lock);
  if (the_last_wait != nullptr) wake_first(*the_last_wait, here);
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
  wake_everybody();
}

}  // namespace tandem::sched
