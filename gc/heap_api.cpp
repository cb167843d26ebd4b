// The out-of-line functions behind make.h, array.h and heap.h: slow paths of allocation, collect(), heap_statistics().

#include "tandem/heap.h"

#include <sched.h>

#include <new>

#include "gc/allocator.h"
#include "gc/boehm/boehm_heap.h"
#include "gc/counters.h"
#include "gc/cycle.h"
#include "gc/finalizer.h"
#include "gc/heap_profile.h"
#include "gc/pacer.h"
#include "gc/sweeper.h"
#include "runtime/base/assert.h"
#include "runtime/base/clock.h"
#include "runtime/seam/in_blocking.h"
#include "runtime/seam/registry.h"
#include "runtime/seam/safepoint.h"
#include "tandem/detail/allocate.h"
#include "tandem/detail/checks.h"
#include "tandem/detail/indivisible.h"
#include "tandem/runtime.h"

namespace tandem::gc {

namespace {

/// Mark work that an allocation pays at once when its debt has grown to this.
constexpr std::uint64_t kAssistDebtBytes = 64 * 1024;

seam::Processor& processor_here(const char* operation) {
  detail::GoroutineWords* goroutine = detail::current_goroutine();
  if (goroutine == nullptr)
    base::fatal("%s was called on a thread that runs no goroutine; start one with tandem::run, go or post", operation);
  seam::refuse_in_blocking(*static_cast<seam::Goroutine*>(goroutine), operation);
  return *static_cast<seam::Processor*>(goroutine->processor);
}

struct CollectWait {
  std::uint64_t cycle;
};

bool collected(void* argument) {
  const auto& wait = *static_cast<CollectWait*>(argument);
  if (cycle.completed() >= wait.cycle)
    return sweeper.finished() || cycle.completed() > wait.cycle ||
           seam::registry.options->sweep == Options::Sweep::lazy;
  if (!cycle.running()) cycle.start();
  return false;
}

/// sweep = lazy: nobody else would. Blocks that allocations are sweeping are waited for.
void sweep_here() {
  constexpr std::uint64_t kBetweenSafepointsNs = 250'000;
  while (!sweeper.finished() && seam::current_phase() == seam::Phase::kIdle) {
    if (!sweeper.sweep_until(base::now_ns() + kBetweenSafepointsNs, counters.blocks_swept_on_allocation))
      ::sched_yield();
    seam::poll();
  }
}

void collect_and_wait() {
  if (boehm::in_use) return boehm::collect_and_wait();
  CollectWait wait{cycle.next_to_start()};
  if (!collected(&wait)) seam::registry.scheduler->park_until(&collected, &wait, "collection");
  if (seam::registry.options->sweep == Options::Sweep::lazy) sweep_here();
}

/// Parks while the heap is too large for the running cycle to bound it (Pacer::must_stall).
void stall_if_outgrown() {
  while (pacer.must_stall() && cycle.running()) [[unlikely]] {
    std::uint64_t completed = cycle.completed();
    counters.allocation_stalls.add(1);
    seam::registry.scheduler->park_until(
        [](void* before) { return cycle.completed() != *static_cast<std::uint64_t*>(before); }, &completed,
        "allocation stall");
  }
}

bool collects() { return seam::registry.options->collector != Options::Collector::none; }

bool holds(const void* address) { return boehm::in_use ? boehm::contains(address) : region.contains(address); }

/// Pays for an allocation of `bytes`: starts a cycle when one is due, marks when the heap grows faster than marking goes. A
/// safepoint.
void account(std::uint64_t bytes) {
  if (!collects()) return;
  const bool due = pacer.count_allocation(bytes);
  if (due && !cycle.running()) cycle.start();
  if (!cycle.running()) return;
  seam::Processor& processor = processor_here("make");
  const Options& options = *seam::registry.options;
  ProcessorState& state = state_of(processor);
  // The steps up to marking are short, and while they last loads shade: whoever allocates gets them over with.
  const bool marking = seam::current_phase() >= seam::Phase::kMark;
  state.assist_debt_bytes += marking ? pacer.assist_for(bytes) : kAssistDebtBytes;
  if (!options.mark_assist || state.assist_debt_bytes < kAssistDebtBytes) return;
  const std::uint64_t marked_before = state.marked_bytes;
  const std::uint64_t budget_ns = std::uint64_t{options.mark_assist_max_us} * 1000;
  const bool did = seam::registry.collector->work(processor, budget_ns, seam::WorkKind::kAssist);
  const std::uint64_t paid = state.marked_bytes - marked_before;
  // Debt that could not be worked off (nothing to mark just now, or the bound in time) is forgiven: the bound is what
  // keeps a goroutine's delay short, the next refill owes anew.
  state.assist_debt_bytes = did && paid < state.assist_debt_bytes ? (state.assist_debt_bytes - paid) / 2 : 0;
  seam::poll();  // that work may have begun a stop, and then this processor is to be held
}

/// Safepoint of an allocation, and the zeal modes.
void before_allocation(const char* operation) {
  processor_here(operation);
  seam::poll();
  if (collects() && pacer.zeal_cycle_due()) [[unlikely]]
    collect_and_wait();
  finalizer.start_if_needed();
}

[[noreturn]] void out_of_memory() { throw std::bad_alloc(); }

}  // namespace

}  // namespace tandem::gc

namespace tandem::detail {

void* allocate_slow(LayoutNumber layout) {
  using namespace tandem::gc;
  const Indivisible allocating;
  before_allocation("make");
  const std::uint64_t cell_bytes = kCellBytes[layout % kSizeClasses];
  bool collected = !collects();
  std::uint64_t sampled_bytes = 0;
  for (;;) {
    // The processor is read anew after everything that may park.
    seam::Processor& processor = processor_here("make");
    if (boehm::in_use) {
      if (void* const object = boehm::allocate(processor, layout)) return object;
      if (collected) out_of_memory();
      collect_and_wait();
      collected = true;
      continue;
    }
    AllocationWindow& window = processor.windows[layout];
    if (const std::uint64_t free = window.free_cells; free != 0) {
      window.free_cells = free & (free - 1);
      std::byte* const cell = window.first_cell + static_cast<std::size_t>(std::countr_zero(free)) * cell_bytes;
      if (sampled_bytes != 0) [[unlikely]]
        heap_profile.sample(cell_of(reinterpret_cast<std::uintptr_t>(cell)), cell_bytes, sampled_bytes);
      return cell;
    }
    if (allocator.refill(processor, layout)) {
      const std::uint64_t bytes = static_cast<std::uint64_t>(std::popcount(window.free_cells)) * cell_bytes;
      sampled_bytes += heap_profile.count(state_of(processor).profile, bytes, processor.index);
      account(bytes);
      stall_if_outgrown();
    } else {
      if (collected) out_of_memory();
      collect_and_wait();
      collected = true;
    }
  }
}

namespace {
void* try_allocate_large(PatternNumber pattern, std::size_t bytes) {
  using namespace tandem::gc;
  if (boehm::in_use) return boehm::allocate_large(pattern, bytes);
  const BlockIndex head = allocator.take_cleared(bytes);
  if (head == Region::kNoBlock) return nullptr;
  return allocator.lay_out_large(processor_here("make"), pattern_at(pattern), head, bytes);
}
}  // namespace

void* allocate_large(PatternNumber pattern, std::size_t bytes) {
  using namespace tandem::gc;
  const Indivisible allocating;
  before_allocation("make");
  if (!boehm::in_use) {
    account(bytes);
    stall_if_outgrown();
  }
  void* cell = try_allocate_large(pattern, bytes);
  if (cell == nullptr && collects()) {
    collect_and_wait();
    cell = try_allocate_large(pattern, bytes);
  }
  if (cell == nullptr) out_of_memory();
  if (!boehm::in_use) {
    seam::Processor& processor = processor_here("make");
    if (const std::uint64_t sampled_bytes = heap_profile.count(state_of(processor).profile, bytes, processor.index))
      heap_profile.sample(cell_of(reinterpret_cast<std::uintptr_t>(cell)), bytes, sampled_bytes);
  }
  return cell;
}

void mark_constructed(void* object, DestroyFunction destroy) {
  using namespace tandem::gc;
  if (boehm::in_use) return boehm::register_destructor(object, destroy);
  const CellRef cell = cell_of(reinterpret_cast<std::uintptr_t>(object));
  // Release: the sweeper that condemns the object sees it constructed.
  region.constructed(cell.block)[cell.index / 64].fetch_or(std::uint64_t{1} << (cell.index % 64),
                                                           std::memory_order_release);
}

// A closure too large for the descriptor lies in a cell of its own. Slow, but only debug builds come here, and rarely.
static bool lies_in_closure(std::uintptr_t address) {
  for (std::size_t i = 0; i < seam::registry.goroutines.used(); ++i) {
    const seam::Goroutine& goroutine = seam::registry.goroutines.at(i);
    if (address - reinterpret_cast<std::uintptr_t>(goroutine.closure) < goroutine.closure_bytes) return true;
  }
  return false;
}

void check_local_place(const void* slot) {
  const auto address = reinterpret_cast<std::uintptr_t>(slot);
  // While f runs in blocking(f) the stack is scanned from the caller's frame up: what lies in the frames of f is not seen.
  if (const seam::Goroutine* const self = seam::current_goroutine())
    seam::refuse_in_blocking(*self, "the constructor of a tandem::Local");
  if (goroutine_of(address) != nullptr || seam::registry.goroutines.contains(address)) return;
  if (seam::registry.options == nullptr || lies_in_closure(address)) return;
  base::fatal(
      "a tandem::Local lies at %p, which is not on a goroutine's stack: use Persistent<T> there, or Member<T> "
      "inside a managed object",
      slot);
}

void check_may_allocate() {
  if (const seam::Goroutine* const self = seam::current_goroutine()) seam::refuse_in_blocking(*self, "make");
}

void check_member_place(const void* slot) {
  if (seam::registry.options == nullptr || gc::holds(slot)) return;
  base::fatal("a tandem::Member lies at %p, outside the managed heap: use Local<T> on a stack, Persistent<T> elsewhere",
              slot);
}

}  // namespace tandem::detail

namespace tandem {

void collect() {
  gc::processor_here("collect");
  seam::check_holds_no_lock(*seam::current_goroutine(), "collection");
  seam::poll();
  if (gc::collects()) gc::collect_and_wait();
  gc::finalizer.start_if_needed();
}

void wait_for_finalizers() {
  gc::processor_here("wait_for_finalizers");
  seam::check_holds_no_lock(*seam::current_goroutine(), "finalizers");
  gc::finalizer.start_if_needed();
  const auto done = [](void*) { return gc::finalizer.idle(); };
  if (!done(nullptr)) seam::registry.scheduler->park_until(done, nullptr, "finalizers");
}

HeapStatistics heap_statistics() {
  seam::poll();
  return {gc::counters.cycles.get(),
          gc::counters.live_bytes.get(),
          gc::counters.heap_bytes.get(),
          gc::counters.allocated_bytes.get(),
          gc::pacer.goal(),
          gc::counters.finalized_objects.get()};
}

}  // namespace tandem
