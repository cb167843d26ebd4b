#include "gc/pacer.h"

#include <algorithm>

#include "gc/counters.h"
#include "tandem/runtime.h"

namespace tandem::gc {

Pacer pacer;

namespace {

/// Smallest goal at gc_percent = 100, as Go's: tiny heaps would otherwise collect thousands of times a second.
constexpr std::uint64_t kGoalMinBytes = std::uint64_t{4} << 20;
/// The trigger lies within these parts of the growth, whatever the runway.
constexpr std::uint64_t kTriggerMinPercent = 50;
constexpr std::uint64_t kTriggerMaxPercent = 95;
/// With a memory limit: part of the room below it that allocation may use before a cycle starts.
constexpr std::uint64_t kLimitTriggerPercent = 80;
/// Assists aim to be done with this part of the room used up: what is allocated while marking is black, hence floating garbage
/// and more frequent cycles, so a short cycle is a cheap one.
constexpr std::uint64_t kAssistRoomPercent = 25;
constexpr std::uint64_t kAssistRatioMaxPercent = 2000;
/// Allocations stall when the heap has grown by this part of the growth allowed.
constexpr std::uint64_t kStallPercent = 200;
constexpr std::uint64_t kNever = UINT64_MAX;

}  // namespace

void Pacer::begin_run(const Options& options) {
  gc_percent_ = options.gc_percent;
  memory_limit_ = options.memory_limit;
  by_goal_ = options.pacer == Options::Pacer::goal && options.collector != Options::Collector::none;
  fixed_bytes_ = options.pacer == Options::Pacer::fixed ? options.pacer_fixed_bytes : 0;
  collect_every_ = options.collect_every;
  zeal_allocations_.store(0, std::memory_order_relaxed);
  live_.store(0, std::memory_order_relaxed);
  allocated_.store(0, std::memory_order_relaxed);
  assist_ratio_percent_.store(0, std::memory_order_relaxed);
  runway_ = expected_live_ = 0;
  set_goal();
}

void Pacer::set_goal() {
  const std::uint64_t live = live_.load(std::memory_order_relaxed);
  std::uint64_t growth = fixed_bytes_ != 0 ? fixed_bytes_ : kNever;
  if (by_goal_ && gc_percent_ >= 0) {
    const auto percent = static_cast<std::uint64_t>(gc_percent_);
    const std::uint64_t goal_min = kGoalMinBytes * percent / 100;
    growth = std::max(expected_live_ / 100 * percent, goal_min > live ? goal_min - live : 0);
    growth = std::max(growth, kGoalMinBytes / 4);
  }
  std::uint64_t trigger = growth;
  if (by_goal_ && growth != kNever)
    trigger = std::clamp(growth - std::min(growth, runway_ + runway_ / 4), growth / 100 * kTriggerMinPercent,
                         growth / 100 * kTriggerMaxPercent);
  if (by_goal_ && memory_limit_ != 0) {
    const std::uint64_t room = memory_limit_ > live ? memory_limit_ - live : 0;
    growth = std::min(growth, room);
    trigger = std::min(trigger, std::max(room / 100 * kLimitTriggerPercent, std::uint64_t{1} << 20));
  }
  goal_.store(growth == kNever ? kNever : live + growth, std::memory_order_relaxed);
  trigger_.store(trigger, std::memory_order_relaxed);
  stall_.store(growth == kNever ? kNever : growth / 100 * kStallPercent, std::memory_order_relaxed);
  counters.next_cycle_bytes.set(trigger == kNever ? 0 : live + trigger);
}

void Pacer::mark_started() {
  const std::uint64_t goal = goal_.load(std::memory_order_relaxed);
  const std::uint64_t now = heap_now();
  const std::uint64_t room = goal > now ? goal - now : 0;
  // Expected mark work: what was live last time, plus half of what came since.
  const std::uint64_t work = live() + allocated_.load(std::memory_order_relaxed) / 2;
  const std::uint64_t share = room / 100 * kAssistRoomPercent;
  const std::uint64_t ratio = goal == kNever ? 0 : work * 100 / std::max<std::uint64_t>(share, 1);
  assist_ratio_percent_.store(std::min(ratio, kAssistRatioMaxPercent), std::memory_order_relaxed);
}

// What was allocated black has not been traced. Were all of it taken for live, a cycle that allocation outran would allow the
// next one more growth, and so on up; so it is taken to survive as the rest of the heap did.
void Pacer::cycle_ended(std::uint64_t marked_bytes, std::uint64_t black_bytes) {
  const std::uint64_t before = std::max<std::uint64_t>(live() + allocated_at_start_, 1);
  const double survival = std::min(static_cast<double>(marked_bytes) / static_cast<double>(before), 1.0);
  expected_live_ = marked_bytes + static_cast<std::uint64_t>(static_cast<double>(black_bytes) * survival);
  const std::uint64_t live_bytes = marked_bytes + black_bytes;
  const std::uint64_t during = allocated_.load(std::memory_order_relaxed) - allocated_at_start_;
  runway_ = (runway_ + during) / 2;
  live_.store(live_bytes, std::memory_order_relaxed);
  allocated_.store(0, std::memory_order_relaxed);
  assist_ratio_percent_.store(0, std::memory_order_relaxed);
  counters.live_bytes.set(live_bytes);
  set_goal();
}

}  // namespace tandem::gc
