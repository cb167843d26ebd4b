#include "sched/spawn.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <new>
#include <utility>

#include "runtime/base/assert.h"
#include "runtime/seam/phase.h"
#include "runtime/seam/registry.h"
#include "sched/direct_switch.h"
#include "sched/ending.h"
#include "sched/outside.h"
#include "sched/shared.h"

namespace tandem::sched {

namespace {

constexpr std::uint32_t kDescriptorBatch = 64;  // taken from and given to the table at once
constexpr std::uint64_t kIdBatch = 256;
constexpr std::align_val_t kClosureAlignment{base::kCacheLineBytes};

Goroutine* take_descriptor(Processor* here) {
  if (here == nullptr) return seam::registry.goroutines.take_batch(1);
  ProcessorState& mine = *here->sched;
  if (mine.free_descriptors == nullptr) [[unlikely]] {
    mine.free_descriptors = seam::registry.goroutines.take_batch(kDescriptorBatch);
    mine.free_count = 0;
    for (Goroutine* free = mine.free_descriptors; free != nullptr; free = free->next) ++mine.free_count;
    if (mine.free_descriptors == nullptr) return nullptr;
  }
  Goroutine* const goroutine = mine.free_descriptors;
  mine.free_descriptors = goroutine->next;
  goroutine->next = nullptr;
  --mine.free_count;
  return goroutine;
}

/// Gives `count` of the cached descriptors back.
void give_descriptors(ProcessorState& mine, std::uint32_t count) {
  Goroutine* const first = mine.free_descriptors;
  Goroutine* last = first;
  for (std::uint32_t i = 1; i < count; ++i) last = last->next;
  mine.free_descriptors = last->next;
  mine.free_count -= count;
  seam::registry.goroutines.give_batch(first, last);
}

void put_descriptor(Goroutine& goroutine, Processor* here) {
  if (here == nullptr) return seam::registry.goroutines.give_batch(&goroutine, &goroutine);
  ProcessorState& mine = *here->sched;
  goroutine.next = mine.free_descriptors;
  mine.free_descriptors = &goroutine;
  if (++mine.free_count >= 4 * kDescriptorBatch) [[unlikely]]
    give_descriptors(mine, 2 * kDescriptorBatch);
}

std::uint64_t take_id(Processor* here) {
  if (here == nullptr) return seam::registry.goroutines.take_ids(1);
  ProcessorState& mine = *here->sched;
  if (mine.next_id == mine.id_limit) [[unlikely]] {
    mine.next_id = seam::registry.goroutines.take_ids(kIdBatch);
    mine.id_limit = mine.next_id + kIdBatch;
  }
  return mine.next_id++;
}

/// From phase `roots` on a goroutine is born scanned: what its closure holds shades itself, and its processor allocates
/// black. Before that it is born unscanned: its creator may still allocate white. (A creator that reads a phase below
/// roots may be late; then the goroutine is scanned once more than needed.)
std::uint64_t birth_round() {
  if (seam::current_phase() < seam::Phase::kRoots) [[likely]]
    return 0;
  return seam::collector_clock.root_round.load(std::memory_order_relaxed);
}

/// Zeroes a room whose bytes are rounded up to 16: a scan of the embryo must not find an old closure's tags.
[[gnu::always_inline]] inline void clear_closure(std::byte* room, std::size_t bytes) {
  for (std::size_t at = 0; at < bytes; at += 16) std::memset(room + at, 0, 16);
}

/// Relaxed: those who walk the table (flags_of) look at the state first.
void set_flags(Goroutine& goroutine, std::uint32_t flags) {
  std::atomic_ref(goroutine.flags).store(static_cast<std::uint8_t>(flags), std::memory_order_relaxed);
}

void set_name(Goroutine& goroutine, const SpawnAttributes& attributes) {
  char* const copy = new char[attributes.name_length + 1];
  std::memcpy(copy, attributes.name, attributes.name_length);
  copy[attributes.name_length] = '\0';
  const std::lock_guard guard(shared->name_lock);
  goroutine.name = copy;
  set_flags(goroutine, goroutine.flags | seam::kNameOwned);
}

void count_spawned(const Goroutine& goroutine, Processor* here) {
  if (goroutine.flags & seam::kRuntimeGoroutine) return;
  if (here != nullptr)
    here->sched->spawned.add();
  else
    shared->spawned_outside.fetch_add(1, std::memory_order_relaxed);
}

void count_finished(const Goroutine& goroutine, Processor* here) {
  if (goroutine.flags & seam::kRuntimeGoroutine) return;
  if (here != nullptr)
    here->sched->finished.add();
  else
    shared->spawned_outside.fetch_sub(1, std::memory_order_relaxed);
}

/// What few goroutines have; afterwards the descriptor is as one that was never used, but for what begin_spawn sets.
[[gnu::noinline]] void free_rare_attributes(Goroutine& goroutine) {
  if (goroutine.flags & seam::kClosureAllocated) ::operator delete(goroutine.closure, kClosureAlignment);
  if (goroutine.flags & seam::kNameOwned) {
    const std::lock_guard guard(shared->name_lock);
    delete[] std::exchange(goroutine.name, nullptr);
  }
  goroutine.stack_size_max = 0;
}

void free_attributes(Goroutine& goroutine) {
  if (goroutine.flags & (seam::kClosureAllocated | seam::kNameOwned | seam::kOwnStackSize)) [[unlikely]]
    free_rare_attributes(goroutine);
  goroutine.closure = nullptr;
  goroutine.closure_bytes = 0;
  set_flags(goroutine, 0);
}

void prepare_closure(Goroutine& goroutine, std::size_t bytes) {
  if (bytes <= seam::kInlineClosureBytes) [[likely]] {
    goroutine.closure = goroutine.inline_closure;
    clear_closure(goroutine.inline_closure, bytes);
  } else {
    goroutine.closure = ::operator new(bytes, kClosureAlignment);
    set_flags(goroutine, goroutine.flags | seam::kClosureAllocated);
    std::memset(goroutine.closure, 0, bytes);
  }
  goroutine.closure_bytes = static_cast<std::uint32_t>(bytes);
}

void give_descriptor_back(Goroutine& goroutine, Processor& here) {
  free_attributes(goroutine);
  // Release: who takes the descriptor next, or walks the table, sees that nothing of it is left.
  goroutine.state.store(seam::kDead, std::memory_order_release);
  put_descriptor(goroutine, &here);
}

/// All that a new goroutine needs but a name, a stack of another size, or flags.
[[gnu::always_inline]] inline void initialise(Goroutine& goroutine, Processor* here,
                                              const detail::ClosureOperations& operations) {
  goroutine.id = take_id(here);
  goroutine.processor = here;
  goroutine.context.sp = nullptr;
  goroutine.closure_operations = &operations;
  goroutine.wait_reason = "start";
  if constexpr (seam::kTracksHeldLocks) goroutine.held_locks = {};
  goroutine.wait_object = nullptr;
  goroutine.scanned_round.store(birth_round(), std::memory_order_relaxed);
}

/// Release: who walks the table and sees `waiting` sees the fields set so far, and zeroes where the closure will be.
[[gnu::always_inline]] inline void publish_embryo(Goroutine& goroutine, bool cancelled) {
  goroutine.cancel_requested.store(cancelled ? 1 : 0, std::memory_order_relaxed);
  goroutine.state.store(seam::kWaiting, std::memory_order_release);
}

}  // namespace

Goroutine& begin_spawn(Processor& here, const detail::ClosureOperations& operations, std::size_t bytes) {
  if (bytes > seam::kInlineClosureBytes) [[unlikely]]
    return begin_spawn(&here, operations, bytes, {});
  Goroutine* const goroutine = take_descriptor(&here);
  if (goroutine == nullptr) [[unlikely]]
    throw std::bad_alloc();
  TANDEM_ASSERT(goroutine->state.load(std::memory_order_relaxed) == seam::kDead);
  prepare_closure(*goroutine, bytes);
  initialise(*goroutine, &here, operations);
  here.sched->spawned.add();
  publish_embryo(*goroutine, shared->ending.load(std::memory_order_seq_cst));
  return *goroutine;
}

Goroutine& begin_spawn(Processor* here, const detail::ClosureOperations& operations, std::size_t bytes,
                       const SpawnAttributes& attributes) {
  Goroutine* const taken = take_descriptor(here);
  if (taken == nullptr) [[unlikely]]
    throw std::bad_alloc();
  Goroutine& goroutine = *taken;
  set_flags(goroutine, attributes.flags);
  try {
    prepare_closure(goroutine, bytes);
    if (attributes.name_length > 0) set_name(goroutine, attributes);
  } catch (...) {
    free_attributes(goroutine);
    put_descriptor(goroutine, here);
    throw;
  }
  if (attributes.stack_bytes_max != 0) {
    goroutine.stack_size_max = static_cast<std::uint32_t>(attributes.stack_bytes_max);
    set_flags(goroutine, goroutine.flags | seam::kOwnStackSize);
  }
  initialise(goroutine, here, operations);
  count_spawned(goroutine, here);
  publish_embryo(goroutine,
                 shared->ending.load(std::memory_order_seq_cst) && !(attributes.flags & seam::kRuntimeGoroutine));
  return goroutine;
}

void finish_spawn(Goroutine& embryo, Processor* here) {
  if (here != nullptr) [[likely]] {
    if (here->trace != nullptr) [[unlikely]]
      seam::trace_create(here, embryo);
    return enqueue_next(embryo, *here);
  }
  seam::trace_create(nullptr, embryo);
  if (make_runnable_outside(embryo)) inject(embryo);
}

void finish_task_spawn(Goroutine& embryo, Processor& here) {
  if (here.trace != nullptr) [[unlikely]]
    seam::trace_create(&here, embryo);
  here.sched->wakeups.add();
  if (!seam::make_runnable(embryo, here)) [[unlikely]]
    return;  // being scanned: its scanner enqueues it
  if (!here.sched->tasks.push(embryo)) [[unlikely]]
    return push_and_wake(embryo, here);
  if (here.sched->queue.has_thieves()) wake_for_work();
}

void abandon_spawn(Goroutine& embryo, Processor* here) {
  // A scanner may be reading the closure's memory.
  std::uint32_t expected = seam::kWaiting;
  while (!embryo.state.compare_exchange_weak(expected, seam::kRunning, std::memory_order_acquire)) {
    expected = seam::kWaiting;
    base::cpu_relax();
  }
  count_finished(embryo, here);
  free_attributes(embryo);
  embryo.state.store(seam::kDead, std::memory_order_release);
  put_descriptor(embryo, here);
}

namespace {

/// During the end of the run nothing of a goroutine is used again.
[[gnu::noinline]] void retire_while_ending(Goroutine& goroutine, Processor& here) {
  const bool counted = !(goroutine.flags & seam::kRuntimeGoroutine);
  free_attributes(goroutine);
  goroutine.state.store(seam::kDead, std::memory_order_release);
  {
    const std::lock_guard guard(shared->graveyard_lock);
    goroutine.next = shared->graveyard;
    shared->graveyard = &goroutine;
  }
  if (!counted) return;
  here.sched->finished.add();
  goroutine_ended_while_ending(here);
}

}  // namespace

void retire(Goroutine& goroutine, Processor& here) {
  // No fence, which each goroutine would pay for: if this load is early, end_run counts again a few
  // milliseconds later.
  if (shared->ending.load(std::memory_order_relaxed)) [[unlikely]]
    return retire_while_ending(goroutine, here);
  if (!(goroutine.flags & seam::kRuntimeGoroutine)) here.sched->finished.add();
  context::destroy_fiber(goroutine.sanitizer_fiber);
  here.sched->stacks.free(goroutine.stack);
  goroutine.stack = {};
  give_descriptor_back(goroutine, here);
}

bool hand_stack_on(Goroutine& ended, Goroutine& next, Processor& here) {
  if constexpr (context::kFibersAreAnnounced) return false;
  if (context::StackArena::class_for(stack_bytes_of(next)) != ended.stack.size_class ||
      shared->ending.load(std::memory_order_relaxed))
    return false;
  if (here.trace != nullptr) [[unlikely]]
    trace_switch(ended, &next, here, Leaving::kEnd);
  next.stack = ended.stack;
  next.stack_base = ended.stack.high;
  next.processor = &here;
  shared->stacks.set_owner(next.stack, &next);
  here.running = &next;
  here.sched->switches.add();
  if (!(ended.flags & seam::kRuntimeGoroutine)) here.sched->finished.add();
  ended.stack = {};
  give_descriptor_back(ended, here);
  return true;
}

std::uint64_t live_goroutines() {
  if (shared == nullptr) return 0;
  std::uint64_t finished = 0;
  for (Processor& processor : seam::registry.all_processors()) finished += processor.sched->finished.read();
  // Acquire: the spawns counted below are not older than the ends counted above, so the difference is not negative.
  std::atomic_thread_fence(std::memory_order_acquire);
  std::uint64_t spawned = shared->spawned_outside.load(std::memory_order_relaxed);
  for (Processor& processor : seam::registry.all_processors()) spawned += processor.sched->spawned.read();
  return spawned > finished ? spawned - finished : 0;
}

void empty_graveyard(Processor& here) {
  Goroutine* dead = nullptr;
  {
    const std::lock_guard guard(shared->graveyard_lock);
    dead = std::exchange(shared->graveyard, nullptr);
  }
  while (dead != nullptr) {
    Goroutine& goroutine = *dead;
    dead = dead->next;
    context::destroy_fiber(goroutine.sanitizer_fiber);
    here.sched->stacks.free(goroutine.stack);
    goroutine.stack = {};
    put_descriptor(goroutine, &here);
  }
}

void release_abandoned() noexcept {
  seam::GoroutineTable& table = seam::registry.goroutines;
  for (std::size_t index = 0; index < table.used(); ++index) {
    Goroutine& goroutine = table.at(index);
    if (goroutine.state.load(std::memory_order_relaxed) == seam::kDead) continue;
    context::destroy_fiber(goroutine.sanitizer_fiber);
    free_attributes(goroutine);
    goroutine.stack = {};
    goroutine.state.store(seam::kDead, std::memory_order_relaxed);
    table.give_batch(&goroutine, &goroutine);
  }
}

void flush_descriptors(Processor& processor) {
  ProcessorState& mine = *processor.sched;
  if (mine.free_count > 0) give_descriptors(mine, mine.free_count);
}

}  // namespace tandem::sched
