#pragma once
/// \file
/// The managed heap as a whole: collect(), add_cleanup(), wait_for_finalizers(), heap_statistics().

#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include "tandem/detail/cleanup.h"
#include "tandem/local.h"

namespace tandem {

/// Runs one full collection cycle that starts after the call, and parks until it has ended and what was unreachable at the
/// call is reclaimed. Does not wait for destructors and cleanups (wait_for_finalizers does). Other goroutines go on. On a
/// goroutine only. With Options::collector = none: returns at once.
void collect();

/// Has `function()` called once, on a goroutine of the runtime's own, after `object` has been collected and its destructor, if
/// it has one, has run; at the end of the run at the latest. Several for one object are called in the order in which they
/// were added. What the function holds lies off every stack: Persistents, not Locals; one that refers to `object` itself
/// keeps it alive for ever. An exception that leaves it ends the process, as from any goroutine, unless
/// Options::on_unhandled is set: then what is due runs on. `object` must not be null. On
/// a goroutine only; never parks. Throws std::bad_alloc.
template <class T, class F>
void add_cleanup(const Local<T>& object, F&& function) {
  static_assert(std::is_invocable_v<std::decay_t<F>>, "add_cleanup: the function takes no arguments");
  detail::add_cleanup(const_cast<void*>(static_cast<const volatile void*>(object.raw())),
                      std::make_unique<detail::CleanupOf<std::decay_t<F>>>(std::forward<F>(function)));
}

/// Parks until the destructors and cleanups that are due have run. On a goroutine only.
void wait_for_finalizers();

struct HeapStatistics {
  std::uint64_t cycles;             ///< completed collection cycles
  std::uint64_t live_bytes;         ///< marked, or allocated while marking, in the last cycle
  std::uint64_t heap_bytes;         ///< blocks in use
  std::uint64_t allocated_bytes;    ///< since the run began
  std::uint64_t goal_bytes;         ///< heap size by which the next cycle should have marked
  std::uint64_t finalized_objects;  ///< destructors and cleanups run
};

/// A snapshot; never blocks.
HeapStatistics heap_statistics();

}  // namespace tandem
