#include "gc/mark_executor.h"

#include <algorithm>
#include <cmath>

#if defined(TANDEM_HAS_TBB)
#include "gc/mark_arena.h"
#endif
#include "gc/mark_threads.h"
#include "gc/marker.h"
#include "runtime/base/clock.h"
#include "runtime/seam/phase.h"
#include "runtime/seam/registry.h"
#include "tandem/runtime.h"

namespace tandem::gc {

std::unique_ptr<MarkExecutor> mark_executor;

namespace {
/// Between two looks at the phase.
constexpr std::uint64_t kQuantumNs = 100'000;
}  // namespace

MarkExecutor::MarkExecutor(std::size_t threads) {
  for (std::size_t i = 0; i < threads; ++i) {
    states_.push_back(std::make_unique<ProcessorState>());
    states_.back()->grey = marker.pool.take_empty();
  }
}

MarkExecutor::~MarkExecutor() {
  for (const auto& state : states_) marker.pool.give_empty(state->grey);
}

bool MarkExecutor::mark(std::size_t thread) {
  marker.active.fetch_add(1, std::memory_order_seq_cst);
  bool any = false;
  if (seam::collector_clock.phase.load(std::memory_order_seq_cst) == seam::Phase::kMark)
    any = marker.drain(*states_[thread], base::now_ns() + kQuantumNs);
  const bool last = marker.active.fetch_sub(1, std::memory_order_seq_cst) == 1;
  // A worker is to see whether that was all; also when this thread has marked nothing: a worker that tried meanwhile has given
  // up because of it (Cycle::try_to_end), and may be asleep in a stop. It has put the phase back before it saw us active.
  if (last && !marker.pool.any_published() &&
      seam::collector_clock.phase.load(std::memory_order_seq_cst) == seam::Phase::kMark)
    seam::registry.scheduler->offer_cycle_step(1);
  return any;
}

std::uint64_t MarkExecutor::marked_bytes() const {
  std::uint64_t sum = 0;
  for (const auto& state : states_) sum += state->marked_bytes;
  return sum;
}

std::uint64_t MarkExecutor::marked_objects() const {
  std::uint64_t sum = 0;
  for (const auto& state : states_) sum += state->marked_objects;
  return sum;
}

void MarkExecutor::reset() {
  for (const auto& state : states_) state->marked_bytes = state->marked_objects = 0;
}

void start_mark_executor(const Options& options) {
  using Kind = Options::MarkExecutor;
  const double share = std::ceil(options.mark_share * static_cast<double>(options.processors));
  const std::size_t threads = std::max<std::size_t>(1, static_cast<std::size_t>(share));
  if (options.mark_executor == Kind::threads) mark_executor = std::make_unique<MarkThreads>(threads);
#if defined(TANDEM_HAS_TBB)
  if (options.mark_executor == Kind::tbb) mark_executor = std::make_unique<MarkArena>(threads);
#endif
}

void stop_mark_executor() { mark_executor.reset(); }

}  // namespace tandem::gc
