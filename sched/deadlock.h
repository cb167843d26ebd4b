#pragma once
// All goroutines are blocked and nothing can wake one.

namespace tandem::sched {

struct Worker;

/// By a worker that has just gone idle and found nothing to do (`self`), or by a foreign thread (null) that took a reason
/// for hope away: reports and exits with status 2 if that is so. If somebody else sleeps in the poller he is interrupted, and
/// looks instead: only he can know that no event is on its way to a queue.
void report_if_deadlocked(const Worker* self);

}  // namespace tandem::sched
