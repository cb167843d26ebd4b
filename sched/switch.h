#pragma once
// Leaving a goroutine and resuming another one.
//
//   S1  A goroutine's new state is published, and the goroutine put where it can be found, by the *next* context, after the
//       switch (finish_switch): until then its stack is in use.
//   S2  After a switch a function may be on another thread: processor and worker are read again through the goroutine.
//   S3  Requests of a processor are served before it runs any goroutine: with one pending, the switch goes to the scheduler loop.
//   S4  A goroutine whose roots are due is scanned before it is resumed, by the worker that dequeued it.

#include "runtime/context/context.h"
#include "runtime/seam/safepoint.h"
#include "runtime/seam/scan_claim.h"
#include "sched/processor_state.h"
#include "sched/worker.h"

namespace tandem::sched {

/// Leaves the running goroutine for another one, directly if one is at hand and nothing else is due. Returns when it is
/// resumed; never for Leaving::kEnd.
void leave(Goroutine& self, Leaving how, CommitFunction commit = nullptr, void* argument = nullptr);

/// Leaves for the scheduler loop in any case.
void leave_to_loop(Goroutine& self, Leaving how);

/// As leave(kYield), but returns at once when there is nothing else to run.
void leave_if_others(Goroutine& self);

/// Resumes `next`, whose state is running, from the scheduler loop; returns when some goroutine comes back to it.
void resume_from_loop(Worker& worker, Goroutine& next);

/// Acts on what the context before this one left behind (S1).
void finish_switch(Worker& worker);

/// Gives a goroutine that never ran a stack. Fatal error when there is none to be had.
void prepare_first_run(Goroutine& goroutine, Processor& here);

/// The first function on a goroutine's stack.
void goroutine_entry(void* goroutine);

/// Moves half of the processor's full ring to the injection queue, then pushes.
void push_overflowing(Goroutine& goroutine, Processor& here);

/// Puts a runnable goroutine at the end of the processor's queue, overflowing to the injection queue. Wakes
/// nobody.
inline void push_local(Goroutine& goroutine, Processor& here) {
  if (!here.sched->queue.push(goroutine)) [[unlikely]]
    push_overflowing(goroutine, here);
}

}  // namespace tandem::sched
