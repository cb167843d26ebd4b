#pragma once
// Zeal, verify_after_mark: a second trace with the world held, which knows nothing of packets and barriers.

#include "runtime/seam/processor.h"

namespace tandem::gc {

/// Traces from all roots; every object it meets must be marked and allocated. Aborts with a report of the first that is
/// not: its address, cell size, and by what it was reached. Every processor stands at a safepoint.
void verify_marks(seam::Processor& here);

}  // namespace tandem::gc
