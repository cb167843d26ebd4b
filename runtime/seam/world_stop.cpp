#include "runtime/seam/world_stop.h"

#include <algorithm>

#include "runtime/base/clock.h"
#include "runtime/seam/registry.h"
#include "runtime/seam/requests.h"
#include "runtime/seam/trace.h"

namespace tandem::seam {

namespace {
constexpr std::uint64_t kHeldWorkBudgetNs = 1'000'000;  // mark work between two looks at the release
}

void WorldStop::reset() {
  closed_.store(false, std::memory_order_relaxed);
  active_.store(0, std::memory_order_relaxed);
  reached_at_ns_.store(0, std::memory_order_relaxed);
  longest_ns_.store(0, std::memory_order_relaxed);
  times_held_.store(0, std::memory_order_relaxed);
}

void WorldStop::begin() {
  trace_outside(TraceKind::kStopBegin);
  active_.store(1, std::memory_order_release);
  for (Processor& processor : registry.all_processors()) post_request(processor, kRequestHold);
}

void WorldStop::all_reached() { reached_at_ns_.store(base::now_ns(), std::memory_order_relaxed); }

void WorldStop::end() {
  const std::uint64_t reached = reached_at_ns_.exchange(0, std::memory_order_relaxed);
  const std::uint64_t stopped = reached == 0 ? 0 : base::now_ns() - reached;
  if (stopped > longest_ns_.load(std::memory_order_relaxed)) longest_ns_.store(stopped, std::memory_order_relaxed);
  for (Processor& processor : registry.all_processors()) withdraw_request(processor, kRequestHold);
  trace_outside(TraceKind::kStopEnd);
  active_.store(0, std::memory_order_release);
  wake_held(registry.all_processors().size());
}

void WorldStop::close() {
  closed_.store(true, std::memory_order_relaxed);
  wake_held(registry.all_processors().size());
}

void WorldStop::rouse(std::size_t pieces) {
  if (active()) wake_held(std::min(pieces, registry.all_processors().size()));
}

// What there is has been published before the count, and hold() reads the count before it looks for it: so either it is found,
// or the count has changed since and wait() returns.
void WorldStop::wake_held(std::size_t processors) {
  events_.fetch_add(1, std::memory_order_release);
  for (std::size_t i = 0; i < processors; ++i) events_.notify_one();
}

void WorldStop::hold(Processor& processor) {
  times_held_.fetch_add(1, std::memory_order_relaxed);
  for (;;) {
    const std::uint32_t seen = events_.load(std::memory_order_acquire);
    if (!active() || closed_.load(std::memory_order_relaxed)) return;
    registry.handshake.acknowledge(processor);
    if (!registry.collector->work(processor, kHeldWorkBudgetNs, WorkKind::kHeld))
      events_.wait(seen, std::memory_order_acquire);
  }
}

}  // namespace tandem::seam
