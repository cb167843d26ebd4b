#include "gc/roots.h"

#include "gc/conservative_scan.h"
#include "gc/counters.h"
#include "gc/marker.h"
#include "runtime/seam/phase.h"
#include "runtime/seam/registry.h"
#include "tandem/runtime.h"

namespace tandem::gc {

namespace {

struct ShadeContext {
  ProcessorState* state;
  FewRoots* roots;
};

void shade_root(void* context, std::uintptr_t reference) {
  const auto& [state, roots] = *static_cast<ShadeContext*>(context);
  marker.shade(*state, reference);
  if (roots != nullptr && reference != 0) roots->add(reference);
}

// The stack pointer that the live part of the stack begins at; 0 when the goroutine has no stack yet.
std::uintptr_t live_part_begin(const seam::Goroutine& goroutine) {
  const std::uintptr_t here = detail::stack_pointer();
  if (detail::goroutine_of(here) == &goroutine) return here & ~std::uintptr_t{7};
  return reinterpret_cast<std::uintptr_t>(__atomic_load_n(&goroutine.context.sp, __ATOMIC_ACQUIRE));
}

using ScanRange = void (*)(std::uintptr_t from, std::uintptr_t to, FoundRoot found, void* context);

// Returns how many bytes of stack there were. Not inlined: its frame lies below whatever the caller keeps in registers.
[[gnu::noinline]] std::size_t scan_ranges(seam::Goroutine& goroutine, ScanRange scan, FoundRoot found, void* context) {
  if (goroutine.closure != nullptr) {
    const auto closure = reinterpret_cast<std::uintptr_t>(goroutine.closure);
    scan(closure, closure + (goroutine.closure_bytes & ~7U), found, context);
  }
  const std::uintptr_t begin = live_part_begin(goroutine);
  if (begin == 0) return 0;
  const auto end = reinterpret_cast<std::uintptr_t>(goroutine.stack_base);
  if (begin < end) scan(begin, end, found, context);
  for (const seam::StackSegment* segment = goroutine.segments; segment != nullptr; segment = segment->outer)
    scan(reinterpret_cast<std::uintptr_t>(segment->scan_from), reinterpret_cast<std::uintptr_t>(segment->scan_to),
         found, context);
  return begin < end ? end - begin : 0;
}

// Words that look like references: those of the stack, of what the goroutine that scans itself keeps in registers, and the
// frame pointer of a parked one.
[[gnu::noinline]] void scan_conservatively(seam::Goroutine& goroutine, FoundRoot found, void* context) {
  __builtin_unwind_init();  // spills the registers into this frame
  scan_ranges(goroutine, &scan_words_for_references, found, context);
  const auto frame = reinterpret_cast<std::uintptr_t>(goroutine.context.frame);
  if (leads_to_object(frame)) found(context, frame);
}

}  // namespace

void for_each_root(seam::Goroutine& goroutine, FoundRoot found, void* context) {
  scan_ranges(goroutine, &scan_tagged_slots, found, context);
}

void scan_goroutine(seam::Goroutine& goroutine, seam::Processor& processor, FewRoots* roots) {
  ShadeContext context{processor.gc, roots};
  ProcessorCounters& mine = counters.by_processor[processor.index];
  mine.stack_bytes_scanned.add(scan_ranges(goroutine, &scan_tagged_slots, &shade_root, &context));
  if (seam::registry.options->roots == Options::Roots::conservative) [[unlikely]]
    scan_conservatively(goroutine, &shade_root, &context);
  mine.stacks_scanned.add(1);
  // Release: who sees the goroutine scanned sees its roots marked (or their grey packets counted as activity).
  goroutine.scanned_round.store(seam::collector_clock.root_round.load(std::memory_order_relaxed),
                                std::memory_order_release);
}

}  // namespace tandem::gc
