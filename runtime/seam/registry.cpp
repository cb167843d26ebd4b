#include "runtime/seam/registry.h"

#include "runtime/seam/phase.h"
#include "tandem/detail/words.h"

namespace tandem::detail {
constinit StackMap stack_map;
constinit GlobalWords global_words;
}  // namespace tandem::detail

namespace tandem::seam {
constinit CollectorClock collector_clock;
constinit std::atomic<std::uint64_t> coarse_now_ns{0};
Registry registry;
}  // namespace tandem::seam
