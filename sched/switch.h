#pragma once
// Leaving a goroutine and resuming another one.
//
//   S1  A goroutine's new state is published, and the goroutine put where it can be found, by the *next* context, after the
//       switch (finish_switch): until then its stack is in use.
//   S2  After a switch a function may be on another thread: processor and worker are read again through the goroutine.
//   S3  Requests of a processor are served before it runs any goroutine: with one pending, the switch goes to the scheduler loop.
//   S4  A goroutine whose roots are due is scanned before it is resumed, by the worker that dequeued it.

#include <cstdint>

#include "runtime/context/context.h"
#include "sched/park.h"
#include "sched/processor_state.h"
#include "sched/worker.h"

namespace tandem::sched {

/// With roots_by = worker: the goroutine has been dequeued, but a collector worker is to scan it first. It goes back to a queue.
bool waits_for_scan(const Goroutine& goroutine, const Processor& here);

/// Why a goroutine left its stack: what the message to the next context says, who acts on it (finish_switch).
enum class Leaving : std::uintptr_t {
  kNothing,     // it is the scheduler loop that left
  kParkUnlock,  // -> waiting; the argument is the detail::SpinLock to be released before
  kParkCommit,  // -> waiting; the argument is a Commit to be run before
  kYield,       // -> runnable, end of the local queue
  kPreempt,     // -> runnable, end of the injection queue
  kUnattached,  // the same, when the worker has lost its processor in blocking(f); to the loop only
  kEnd,         // -> dead
};

/// On the stack of who parks.
struct Commit {
  CommitFunction function;
  void* argument;
};

/// Leaves the running goroutine for another one, directly if one is at hand and nothing else is due. Returns when it is
/// resumed; never for Leaving::kEnd.
void leave(Goroutine& self, Leaving how, void* argument = nullptr);

/// Leaves for the scheduler loop in any case.
void leave_to_loop(Goroutine& self, Leaving how);

/// Resumes `next`, whose state is running, from the scheduler loop; returns when some goroutine comes back to it.
void resume_from_loop(Worker& worker, Goroutine& next);

/// Gives a goroutine that never ran a stack. Fatal error when there is none to be had.
void prepare_first_run(Goroutine& goroutine, Processor& here);

/// The first function on a goroutine's stack; the last three are the message of who switched to it.
void goroutine_entry(void* goroutine, void* left, void* how, void* argument);

/// Moves half of the processor's full ring to the injection queue, then pushes.
void push_overflowing(Goroutine& goroutine, Processor& here);

/// Puts a runnable goroutine at the end of the processor's queue, overflowing to the injection queue. Wakes
/// nobody.
inline void push_local(Goroutine& goroutine, Processor& here) {
  if (!here.sched->queue.push(goroutine)) [[unlikely]]
    push_overflowing(goroutine, here);
}

}  // namespace tandem::sched
