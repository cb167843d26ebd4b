#pragma once
// What the goroutines are doing, for people.

#include <cstdint>
#include <cstdio>

#include "sched/park.h"

namespace tandem::sched {

/// Every goroutine: id, name, state, what it waits for and since when, backtrace.
void dump_all(std::FILE* file);
/// Those that are neither the runtime's own nor the first one; a hundred of them at most.
void dump_others(std::FILE* file);

/// "goroutine 7 (name)" into a static-size buffer; async-signal-safe but for the formatting.
struct GoroutineTitle {
  explicit GoroutineTitle(const Goroutine& goroutine);
  char text[96];
};

/// The monitor's report about a processor that reaches no safepoint.
void report_no_safepoint(Processor& processor, std::uint64_t for_ns);

}  // namespace tandem::sched
