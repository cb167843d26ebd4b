#pragma once
// What all workers share while the scheduler runs. One instance: there is one runtime in a process.

#include <array>
#include <atomic>
#include <cstdint>

#include "runtime/base/cache_line.h"
#include "runtime/base/spin_lock.h"
#include "runtime/context/stack.h"
#include "sched/idle.h"
#include "sched/injection_queue.h"
#include "sched/processor_state.h"
#include "sched/worker.h"

namespace tandem::sched {

struct Shared {
  explicit Shared(detail::StackMap& map) : stacks(map) {}

  InjectionQueue injection;
  IdleState idle;
  context::StackArena stacks;

  // -- Fixed while the scheduler runs.
  std::uint64_t stack_bytes_max = 0;
  bool zeal = false;       // yield_every_poll, steal_always or simulated: every switch goes through the loop
  bool simulated = false;  // simulation.h
  bool yield_every_poll = false;
  bool steal_always = false;
  bool spin = true;                 // false where there are more processors than CPUs
  bool mark_idle = true;            // Options
  bool roots_by_worker = false;     // Options::roots_by
  bool netpoll_during_mark = true;  // Options
  void (*on_unhandled_goroutine)(const Goroutine& goroutine) = nullptr;
  Goroutine* first_goroutine = nullptr;

  // -- Anybody.
  std::atomic<std::uint64_t> last_poll_ns{0};
  std::atomic<std::uint32_t> turn_to_be_asked{0};  // ask_in_turn's
  /// With mark_idle off: portions of collector work that workers with nothing to run may take (0 or 1).
  std::atomic<std::uint32_t> idle_quanta{0};
  std::atomic<bool> ending{false};    // main has returned: goroutines are cancelled, new ones are born cancelled
  std::atomic<bool> stopping{false};  // workers leave their loops
  std::atomic<std::uint64_t> spawned_outside{0};  // by threads that drive no processor

  // -- Workers; grows under idle.lock, never shrinks during a run.
  static constexpr std::uint32_t kWorkersMax = 4096;
  std::array<std::atomic<Worker*>, kWorkersMax> workers{};
  std::atomic<std::uint32_t> worker_count{0};

  base::SpinLock name_lock;  // held while a goroutine's name is set, freed, or copied for a report

  // -- Stacks and descriptors of goroutines that ended during the end of the run: none is reused before all
  // have ended.
  base::SpinLock graveyard_lock;
  Goroutine* graveyard = nullptr;
};

/// Null while nothing runs. A pointer, so that foreign threads can ask.
extern Shared* shared;

/// Does somebody wait for a descriptor, and do workers look at them now (Options::netpoll_during_mark)?
bool may_poll_network();

}  // namespace tandem::sched
