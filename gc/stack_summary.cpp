#include "gc/stack_summary.h"

#include "gc/marker.h"
#include "gc/planted_bugs.h"
#include "runtime/base/os_memory.h"
#include "runtime/seam/goroutine_table.h"
#include "runtime/seam/registry.h"
#include "tandem/detail/words.h"
#include "tandem/runtime.h"

namespace tandem::gc {

StackSummaries stack_summaries;

void StackSummaries::begin_run() { on_.store(false, std::memory_order_relaxed); }

void StackSummaries::begin_cycle() {
  const Options& options = *seam::registry.options;
  waiting_in_cycle_.store(0, std::memory_order_relaxed);
  if (on() || !options.stack_summary || options.roots != Options::Roots::precise) return;
  if (seam::registry.goroutines.used() < options.stack_summary_from) return;
  if (entries_ == nullptr)
    entries_ = reinterpret_cast<Entry*>(base::reserve(seam::GoroutineTable::kMaxGoroutines * sizeof(Entry),
                                                      base::page_bytes(), base::Access::read_write));
  if (entries_ == nullptr) return;  // the system refuses address space: stacks are walked
  generation_.fetch_add(1, std::memory_order_relaxed);
  on_.store(true, std::memory_order_relaxed);
}

// Descriptors that were once used are more than goroutines that wait.
void StackSummaries::settle() {
  if (waiting_in_cycle_.load(std::memory_order_relaxed) < seam::registry.options->stack_summary_from)
    on_.store(false, std::memory_order_relaxed);
}

bool StackSummaries::use(seam::Goroutine& goroutine, std::size_t index, std::uint64_t round, bool pages_are_due,
                         ProcessorState& state) {
  Entry& entry = entries_[index];
  // Acquire: pairs with end_making.
  const std::uint64_t park = entry.park.load(std::memory_order_acquire);
  if (park == kNone || park % 2 != 0) return false;
  if (park != goroutine.ticket.load(std::memory_order_acquire) && !planted(PlantedBug::kSummariesOutliveRuns))
    return false;
  if (goroutine.state.load(std::memory_order_acquire) != seam::kWaiting) return false;
  if (entry.generation.load(std::memory_order_relaxed) != generation_.load(std::memory_order_relaxed)) return false;
  if (pages_are_due && !entry.pages_looked_at.load(std::memory_order_relaxed)) return false;
  const std::size_t count = entry.count.load(std::memory_order_relaxed);
  for (std::size_t i = 0; i < count; ++i) marker.shade(state, entry.roots[i].load(std::memory_order_relaxed));
  // Release: as scan_goroutine.
  goroutine.scanned_round.store(round, std::memory_order_release);
  return true;
}

// Not of goroutines that have never run (their creator may be building the closure), nor where a slot's address does not tell
// its goroutine, or where there is more than one stack to look at.
std::uint64_t StackSummaries::begin_making(const seam::Goroutine& goroutine, std::size_t index) {
  if ((goroutine.state.load(std::memory_order_relaxed) & seam::kStateMask) != seam::kWaiting) return 0;
  if (goroutine.context.sp == nullptr || goroutine.segments != nullptr || (goroutine.flags & seam::kClosureAllocated))
    return 0;
  // Before the walk: a waker that claims it from now on makes the summary useless, not wrong.
  const std::uint64_t ticket = goroutine.ticket.load(std::memory_order_acquire);
  if (ticket % 2 != 0) return 0;
  entries_[index].park.exchange(kBeingMade, std::memory_order_acq_rel);
  return ticket;
}

void StackSummaries::end_making(std::size_t index, std::uint64_t park, const FewRoots& roots, bool pages_looked_at) {
  Entry& entry = entries_[index];
  if (!roots.few()) {
    entry.park.store(kNone, std::memory_order_relaxed);
    return;
  }
  for (std::size_t i = 0; i < roots.count(); ++i) entry.roots[i].store(roots[i], std::memory_order_relaxed);
  entry.count.store(static_cast<std::uint8_t>(roots.count()), std::memory_order_relaxed);
  entry.pages_looked_at.store(pages_looked_at, std::memory_order_relaxed);
  entry.generation.store(generation_.load(std::memory_order_relaxed), std::memory_order_relaxed);
  if (planted(PlantedBug::kSummariesMissWriters)) return entry.park.store(park, std::memory_order_release);
  // Release: who finds the ticket finds the roots.
  std::uint64_t expected = kBeingMade;
  entry.park.compare_exchange_strong(expected, park, std::memory_order_acq_rel, std::memory_order_relaxed);
}

void StackSummaries::slot_written(const void* slot) {
  const auto address = reinterpret_cast<std::uintptr_t>(slot);
  seam::GoroutineTable& table = seam::registry.goroutines;
  const auto* owner = static_cast<const seam::Goroutine*>(detail::goroutine_of(address));
  if (owner == nullptr) {
    if (!table.contains(address)) return;
    owner = &table.at((address - reinterpret_cast<std::uintptr_t>(&table.at(0))) / sizeof(seam::Goroutine));
  } else if (owner == seam::current_goroutine()) {
    return;
  }
  if (planted(PlantedBug::kSummariesOutliveStores) || entries_ == nullptr) return;
  // Release: the slot is written. A read-modify-write: see the top of stack_summary.h.
  entries_[owner - &table.at(0)].park.exchange(kNone, std::memory_order_acq_rel);
}

}  // namespace tandem::gc
