#pragma once
// The end of a run: when main has returned, every other goroutine is cancelled and awaited.

#include "sched/park.h"

namespace tandem::sched {

/// On the first goroutine, after main: cancels and awaits the others, runs the collector's finish_run, and tells the workers
/// to stop. Does not return to anything but the end of the goroutine.
void end_run(Goroutine& first);

/// A goroutine has ended while `ending` is set; wakes the first goroutine if it was the last one.
void goroutine_ended_while_ending(Processor& here);

}  // namespace tandem::sched
