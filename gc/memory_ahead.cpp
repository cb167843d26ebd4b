#include "gc/memory_ahead.h"

#include <algorithm>

#include "gc/region.h"
#include "runtime/base/bits.h"
#include "tandem/runtime.h"

namespace tandem::gc {

MemoryAhead memory_ahead;

namespace {
/// Part of the blocks in use: the share of the heap's memory that may lie ready.
constexpr std::uint64_t kShare = 8;
}  // namespace

void MemoryAhead::start(const Options& options) {
  stop_.store(false, std::memory_order_relaxed);
  if (options.memory_ahead == 0 || options.seed != 0 || base::usable_cpus() == 1) return;
  blocks_max_ = options.memory_ahead >> kBlockShift;
  thread_.start("tandem-memory", [this] { run(); });
}

void MemoryAhead::stop() {
  if (!thread_.joinable()) return;
  stop_.store(true, std::memory_order_relaxed);
  parker_.unpark();
  thread_.join();
  blocks_max_ = 0;
}

std::uint64_t MemoryAhead::wanted_blocks() const {
  const std::uint64_t wanted = std::min(blocks_max_, region.blocks_in_use() / kShare);
  return base::round_down(wanted, Region::kGroupBlocks);
}

// Woken when half is used up, not at each group: a wake-up costs the allocation some microseconds.
bool MemoryAhead::behind() const { return region.ready_blocks() < (wanted_blocks() + 1) / 2; }

bool MemoryAhead::too_few() const { return region.ready_blocks() + Region::kGroupBlocks <= wanted_blocks(); }

// Who takes blocks while the thread looks leaves a token, so the thread looks again instead of sleeping.
void MemoryAhead::run() {
  while (!stop_.load(std::memory_order_relaxed)) {
    while (!stop_.load(std::memory_order_relaxed) && too_few() && region.make_ready()) {
    }
    parker_.park();
  }
}

}  // namespace tandem::gc
