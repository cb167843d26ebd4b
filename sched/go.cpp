// What public headers call: spawning from a goroutine, yield, safepoint, sleep.

#include "tandem/go.h"

#include <stdexcept>
#include <string>

#include "runtime/base/clock.h"
#include "runtime/context/stack.h"
#include "runtime/seam/safepoint.h"
#include "sched/park.h"
#include "sched/spawn.h"
#include "sched/timers.h"
#include "sched/waiting.h"

namespace tandem::detail {

using sched::Goroutine;
using sched::processor_of;

namespace {
/// The range of Options::stack_size_max.
void check_stack_size(std::uint64_t bytes) {
  if (bytes >= context::kStackGranuleBytes && bytes <= context::kStackBytesMax) return;
  throw std::invalid_argument("tandem: GoOptions::stack_size_max = " + std::to_string(bytes) +
                              ": expected bytes from 65536 (64 KiB) to 1073741824 (1 GiB), or 0: as Options says");
}
}  // namespace

Embryo begin_spawn(const ClosureOperations& operations, std::size_t closure_bytes, std::string_view name,
                   std::uint64_t stack_bytes_max) {
  Goroutine& self = sched::running_goroutine("tandem::go");
  if (stack_bytes_max != 0) check_stack_size(stack_bytes_max);
  seam::poll();
  Goroutine& embryo = sched::begin_spawn(&processor_of(self), operations, closure_bytes,
                                         {name.data(), name.size(), stack_bytes_max, 0});
  return {&embryo, embryo.closure};
}

Embryo begin_spawn(const ClosureOperations& operations, std::size_t closure_bytes) {
  Goroutine& self = sched::running_goroutine("tandem::go");
  seam::poll();
  Goroutine& embryo = sched::begin_spawn(processor_of(self), operations, closure_bytes);
  return {&embryo, embryo.closure};
}

// Constructing the closure may have parked: the processor is read again.
void finish_spawn(Embryo embryo) noexcept {
  sched::finish_spawn(*static_cast<Goroutine*>(embryo.goroutine),
                      &processor_of(*static_cast<Goroutine*>(current_goroutine_unchecked())));
}

void finish_task_spawn(Embryo embryo) noexcept {
  sched::finish_task_spawn(*static_cast<Goroutine*>(embryo.goroutine),
                           processor_of(*static_cast<Goroutine*>(current_goroutine_unchecked())));
}

void abandon_spawn(Embryo embryo) noexcept {
  sched::abandon_spawn(*static_cast<Goroutine*>(embryo.goroutine), &processor_of(*seam::current_goroutine()));
}

namespace {
struct Sleep : sched::TimerNode {
  Goroutine* goroutine;
  std::uint64_t ticket;
};

void end_sleep(sched::TimerNode& node, sched::Processor& here) {
  auto& sleep = static_cast<Sleep&>(node);
  Goroutine& goroutine = *sleep.goroutine;
  if (!sched::claim(goroutine, sleep.ticket)) return;
  goroutine.wake_reason.store(sched::WakeReason::kTimeout, std::memory_order_relaxed);
  sched::ready(goroutine, here);
}

bool start_sleep(Goroutine& parked, void* argument) {
  auto& sleep = *static_cast<Sleep*>(argument);
  sched::arm(sleep, sleep.when_ns, processor_of(parked));
  return true;
}
}  // namespace

void sleep_until_ns(std::uint64_t deadline_ns) {
  Goroutine& self = sched::running_goroutine("tandem::sleep_until");
  if (deadline_ns <= base::now_ns()) return yield();
  for (;;) {
    Sleep sleep;
    sleep.goroutine = &self;
    sleep.when_ns = deadline_ns;
    sleep.fire = &end_sleep;
    if (!sched::open_cancellable_ticket(self, sleep.ticket)) sched::throw_cancelled();
    const sched::WakeReason woken = sched::park(self, "sleep", nullptr, &start_sleep, &sleep);
    disarm(sleep);  // also when it fired: its callback may not have returned
    if (woken == sched::WakeReason::kTimeout) return;
    sched::check_cancelled(self);  // else: cancelled, but shielded; sleep on
  }
}

}  // namespace tandem::detail

namespace tandem {

void yield() {
  sched::Goroutine& self = sched::running_goroutine("tandem::yield");
  seam::check_holds_no_lock(self, "yield");
  sched::check_cancelled(self);
  sched::yield_now(self);
  sched::check_cancelled(self);
}

void safepoint() { seam::poll(); }

std::uint64_t this_goroutine::id() noexcept {
  const sched::Goroutine* const self = seam::current_goroutine();
  return self != nullptr ? self->id : 0;
}

std::size_t goroutine_count() noexcept {
  seam::poll();
  return sched::live_goroutines();
}

}  // namespace tandem
