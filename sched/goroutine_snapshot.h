#pragma once
// The goroutines that there are, for reports in a machine's language.

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/seam/goroutine.h"

namespace tandem::sched {

struct GoroutineSnapshot {
  std::uint64_t id = 0;
  seam::GoroutineState state = seam::kDead;
  std::uint32_t processor = 0;  // where it runs; when it does
  const char* wait_reason = nullptr;
  std::string name;            // empty: none
  const char* type = nullptr;  // mangled, of its closure; null: unknown
};

/// Of each that is not dead, while the others go on: no consistent picture. Any thread; while a run cannot end.
std::vector<GoroutineSnapshot> snapshot_goroutines();

}  // namespace tandem::sched
