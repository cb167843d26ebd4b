#pragma once
#include <cstdint>

namespace tandem::gc {

/// Options::gctrace: one line per completed cycle on stderr, `key=value` fields, never truncated.
void print_cycle_line(std::uint64_t started_at_ns, std::uint64_t mark_started_at_ns);

}  // namespace tandem::gc
