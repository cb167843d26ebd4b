#pragma once
// A worker: an OS thread that drives a processor, or waits for one.

#include <atomic>
#include <cstdint>
#include <pthread.h>

#include "runtime/base/os_thread.h"
#include "runtime/base/parker.h"
#include "runtime/context/context.h"
#include "runtime/context/cxx_state.h"
#include "runtime/context/sanitizers.h"
#include "sched/park.h"

namespace tandem::sched {

struct Worker {
  // -- The worker's own thread only.
  context::Context scheduler_context{};
  context::CxxThreadState cxx{};
  bool searching = false;          // counted in IdleState::searching
  bool from_poller = false;        // searching, because it has found events
  std::uint32_t spins = 0;         // searches in which it came to spinning
  std::uint32_t vain_spins = 0;    // the last so many
  bool collector_refused = false;  // has_work(), but none for this worker just now: do not stay awake for it
  [[no_unique_address]] context::SanitizerFiber fiber{};

  /// The processor it drives, or did when it went into blocking(f). Written by its own thread.
  std::atomic<Processor*> processor{nullptr};
  std::atomic<bool> in_blocking{false};

  // -- Guarded by IdleState::lock.
  Worker* next_idle = nullptr;
  bool idle = false;
  bool watching = false;        // sleeps in the poller: woken by PollerPort::interrupt
  Processor* handed = nullptr;  // the processor that the one who wakes it gives it
  bool handed_searching = false;

  base::Parker parker;
  base::Thread thread;                // not started for the worker that is the caller of run
  std::atomic<bool> starting{false};  // somebody is starting the thread
  pthread_t handle{};                 // valid once `alive`
  std::atomic<bool> alive{false};
  std::uint32_t index = 0;
};

/// The scheduler loop of a worker; returns when the run is over. On the worker's own thread.
void run_worker(Worker& worker);

}  // namespace tandem::sched
