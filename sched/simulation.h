#pragma once
// Options::seed with one processor: the whole schedule follows from the seed, and time is virtual, so that a run can be
// repeated, and thousands of different ones tried (deterministic simulation; FoundationDB tests itself so, Go's
// testing/synctest has the clock).
//
//   Choices   Every switch goes through the scheduler loop, which now and then lets what waits in the next slot go to the end
//             of the queue; every poll of a goroutine may be its last before others run. Both by the processor's random numbers.
//   Time      stands still but for a tick at each look at it (base/clock.h), and jumps to the next timer when nothing is
//             runnable. The monitor, which lives in real time, takes no part: no slices, no quanta; the collector gets its share
//             at polls, again by random numbers.
//   Outside   What waits for the world (descriptors, a long blocking(f), post from foreign threads) is waited for in real
//             time, and its order is the world's.
//   Hash      of the goroutines in the order in which they ran, Statistics::schedule_hash: equal for equal seeds.

#include <cstdint>

#include "sched/worker.h"

namespace tandem::sched {

/// Begins and ends with the scheduler. `seed` is not 0.
void start_simulation();
void stop_simulation();

// -- The worker that drives `here`, in a simulation only.

/// Before local queues are looked at.
void shuffle(Processor& here);
/// Notes that this goroutine runs next, and asks it for its first poll.
void note_resumed(const Goroutine& goroutine, Processor& here);
/// At a poll of the running goroutine: shall others run? If not, it is asked for its next poll.
bool yields_at_poll(Processor& here);
/// Nothing is runnable. True: it was time for the next timer. False: there is none, or somebody outside may come first.
bool jump_to_next_timer(Processor& here);

/// 0 when there is no simulation. Anybody.
std::uint64_t schedule_hash();

}  // namespace tandem::sched
