#include "gc/gc_trace.h"

#include <cstdio>

#include "gc/counters.h"
#include "gc/pacer.h"
#include "runtime/base/clock.h"
#include "runtime/seam/phase.h"
#include "runtime/seam/registry.h"

namespace tandem::gc {

void print_cycle_line(std::uint64_t started_at_ns, std::uint64_t mark_started_at_ns) {
  const std::uint64_t now = base::now_ns();
  const auto ms = [](std::uint64_t ns) { return static_cast<double>(ns) / 1e6; };
  const auto mib = [](std::uint64_t bytes) { return static_cast<double>(bytes) / (1 << 20); };
  std::fprintf(stderr,
               "gc %llu: to_roots_ms=%.3f mark_ms=%.3f live_mib=%.1f heap_mib=%.1f goal_mib=%.1f "
               "next_cycle_mib=%.1f objects_marked=%llu stacks_scanned=%llu longest_stop_us=%.1f\n",
               static_cast<unsigned long long>(seam::collector_clock.cycle.load()),
               ms(mark_started_at_ns - started_at_ns), ms(now - mark_started_at_ns), mib(pacer.live()),
               mib(counters.heap_bytes.get()), mib(pacer.goal()), mib(counters.next_cycle_bytes.get()),
               static_cast<unsigned long long>(counters.objects_marked.get()),
               static_cast<unsigned long long>(counters.stacks_scanned()),
               static_cast<double>(seam::registry.world_stop.longest_all_stopped_ns()) / 1e3);
}

}  // namespace tandem::gc
