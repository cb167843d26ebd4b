#pragma once
// The worker threads: started when a processor has work and no worker is free, joined at the end of the run.

#include "sched/worker.h"

namespace tandem::sched {

/// Starts a thread that drives `processor` (off the idle list, its caller's). False: the system has no thread to give.
bool start_worker(Processor& processor, bool searching);

/// Registers the calling thread as a worker and runs its loop on `processor` until the run is over.
void work_on_this_thread(Processor& processor);

/// After `stopping` is set, on the thread that called run_first.
void join_workers();

}  // namespace tandem::sched
