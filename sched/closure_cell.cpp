// Closures that the runtime keeps, in descriptors of goroutines that never start: the collector scans the
// closure of an embryo as it scans any other. Flagged as the runtime's own, so that they are not counted.

#include "tandem/detail/closure_cell.h"

#include "runtime/base/assert.h"
#include "sched/spawn.h"

namespace tandem::detail {

namespace {
seam::Goroutine& embryo_of(GoroutineWords* cell) { return *static_cast<seam::Goroutine*>(cell); }

seam::Processor* processor_here() {
  seam::Goroutine* const self = seam::current_goroutine();
  return self == nullptr ? nullptr : &sched::processor_of(*self);
}
}  // namespace

GoroutineWords* allocate_closure_cell(const ClosureOperations& operations, std::size_t bytes, const char* owner) {
  seam::Processor* const here = processor_here();
  if (here == nullptr)
    base::fatal("a %s was made on a thread that runs no goroutine: make it inside tandem::run, on a goroutine", owner);
  sched::SpawnAttributes attributes;
  attributes.flags = seam::kRuntimeGoroutine;
  seam::Goroutine& embryo = sched::begin_spawn(here, operations, bytes, attributes);
  embryo.wait_reason = owner;
  return &embryo;
}

void* closure_in_cell(GoroutineWords* cell) noexcept { return embryo_of(cell).closure; }

void free_closure_cell(GoroutineWords* cell) noexcept { sched::abandon_spawn(embryo_of(cell), processor_here()); }

void destroy_closure_cell(GoroutineWords* cell) noexcept {
  seam::Goroutine& embryo = embryo_of(cell);
  if (embryo.state.load(std::memory_order_relaxed) == seam::kDead)
    base::fatal("a %s has outlived the run that it was made in: destroy it on a goroutine, before tandem::run returns",
                embryo.wait_reason);
  embryo.closure_operations->destroy(embryo.closure);
  free_closure_cell(cell);
}

}  // namespace tandem::detail
