#pragma once
// The lists of idle processors and idle workers: shared by those who sleep (idle.cpp) and those who wake
// (wake.cpp).

#include "sched/shared.h"

namespace tandem::sched {

inline IdleState& idle() { return shared->idle; }

// -- With the lock held.

void push_processor(Processor& processor);
/// Null when there is none.
Processor* pop_processor();
void push_worker(Worker& worker);
void remove_worker(Worker& worker);

/// Is a goroutine in the injection queue or in any ring?
bool any_queue_has_work();

/// Wakes one worker, which will search, unless somebody searches already.
void wake_if_nobody_searches();

}  // namespace tandem::sched
