#pragma once
// The roots of one goroutine: its stack, further segments, its closure. All goroutines: root_walk.h.

#include "gc/processor_state.h"
#include "gc/stack_summary.h"
#include "gc/tag_scan.h"
#include "runtime/seam/goroutine.h"
#include "runtime/seam/processor.h"

namespace tandem::gc {

/// Scans a goroutine that the caller owns: it holds the claim, has dequeued it, or is it (then it stands on that stack and
/// the live part begins at the caller's frame). Sets scanned_round. With
/// roots = conservative words that look like references count as well. `roots`, if given, gets the precise ones.
void scan_goroutine(seam::Goroutine& goroutine, seam::Processor& processor, FewRoots* roots = nullptr);

/// Calls found(context, reference) for each precise root of the goroutine.
void for_each_root(seam::Goroutine& goroutine, FoundRoot found, void* context);

}  // namespace tandem::gc
