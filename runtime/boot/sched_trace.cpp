#include "runtime/boot/sched_trace.h"

#include <algorithm>
#include <cstdio>

#include <tandem/statistics.h>

#include "runtime/base/assert.h"
#include "runtime/base/clock.h"

namespace tandem::boot {

namespace {

// Counters as differences to the line before, so that a rate is seen at a glance.
void print_line(std::uint64_t since_start_ns, const Statistics& before, const Statistics& now) {
  const auto grown = [&](std::uint64_t Statistics::* counter) {
    return static_cast<unsigned long long>(now.*counter - before.*counter);
  };
  char line[256];
  const int length = std::snprintf(
      line, sizeof line,
      "tandem sched %llu ms: %llu goroutines, +%llu started, %llu switches, %llu parks, %llu "
      "steals, %llu preemptions, "
      "%llu ms CPU\n",
      static_cast<unsigned long long>(since_start_ns / 1'000'000), static_cast<unsigned long long>(now.goroutines),
      grown(&Statistics::goroutines_created), grown(&Statistics::switches), grown(&Statistics::parks),
      grown(&Statistics::steals), grown(&Statistics::preemptions), grown(&Statistics::process_cpu_ns) / 1'000'000);
  base::write_stderr(line, std::min(static_cast<std::size_t>(length), sizeof line - 1));
}

}  // namespace

void SchedTrace::start(std::chrono::milliseconds period) {
  if (period.count() == 0) return;
  thread_.start("tandem-schedtr", [this, period_ns = static_cast<std::uint64_t>(period.count()) * 1'000'000] {
    const std::uint64_t started_at_ns = base::real_now_ns();
    Statistics before = statistics();
    while (!parker_.park_for(period_ns)) {
      const Statistics now = statistics();
      print_line(base::real_now_ns() - started_at_ns, before, now);
      before = now;
    }
  });
}

void SchedTrace::stop() noexcept {
  if (!thread_.joinable()) return;
  parker_.unpark();
  thread_.join();
}

}  // namespace tandem::boot
