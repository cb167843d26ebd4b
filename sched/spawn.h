#pragma once
// The life of a descriptor: taken from a processor's cache, an embryo while its closure is constructed, runnable, running,
// and back. Stacks come with the first run (switch.cpp) and go in retire().

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "sched/park.h"
#include "tandem/detail/closure.h"

namespace tandem::sched {

struct SpawnAttributes {
  const char* name = nullptr;  // copied; null or "": unnamed
  std::size_t name_length = 0;
  std::uint64_t stack_bytes_max = 0;  // 0: Options::stack_size_max
  std::uint8_t flags = 0;             // seam::GoroutineFlags
};

/// An embryo with zeroed room for a closure of `bytes` (aligned to 64); the room is scanned from now on. Throws
/// std::bad_alloc. `here` may be null: a thread that drives no processor.
Goroutine& begin_spawn(Processor* here, const detail::ClosureOperations& operations, std::size_t bytes,
                       const SpawnAttributes& attributes);

/// The same for the usual goroutine: default stack, no name.
Goroutine& begin_spawn(Processor& here, const detail::ClosureOperations& operations, std::size_t bytes);

/// The closure is there: makes it runnable, in the next slot of `here` or, when that is null, in the injection queue.
void finish_spawn(Goroutine& embryo, Processor* here);

/// The same for a task of a group: into the deque of `here`.
void finish_task_spawn(Goroutine& embryo, Processor& here);

/// The constructor of the closure threw.
void abandon_spawn(Goroutine& embryo, Processor* here);

/// After the switch away from a goroutine that has ended: gives everything back.
void retire(Goroutine& goroutine, Processor& here);

/// Bytes of stack that a goroutine wants.
std::uint64_t stack_bytes_of(const Goroutine& goroutine);

/// On the stack of `ended`, which has nothing left to do: makes that the stack of `next`, which never ran and is this
/// worker's to run, and gives the descriptor of `ended` back. False: it cannot have it, nothing has changed.
bool hand_stack_on(Goroutine& ended, Goroutine& next, Processor& here);

/// The flags of a goroutine that may be ending at the moment, or be another one already: for walks over the table.
inline std::uint32_t flags_of(const Goroutine& goroutine) {
  return std::atomic_ref(const_cast<std::uint8_t&>(goroutine.flags)).load(std::memory_order_relaxed);
}

/// Goroutines that were spawned and have not ended, the runtime's own not counted.
std::uint64_t live_goroutines();

/// At the end of a run, on the first goroutine when all others have ended: gives back what was held (shared.h, graveyard).
void empty_graveyard(Processor& here);

/// When all workers have left: descriptors of runtime goroutines that are still parked are given back, their frames are not
/// unwound (the stacks go with the arena).
void release_abandoned() noexcept;

/// Gives the processor's cached descriptors back to the table.
void flush_descriptors(Processor& processor);

}  // namespace tandem::sched
