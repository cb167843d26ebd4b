// Timers of Timer, Ticker and after(). Their records lie in managed objects, which stop them when they are
// destroyed; so an armed timer never outlives its record. Callbacks run on a worker, on no goroutine: they
// send without waiting, or start a goroutine.

#include <new>

#include "runtime/base/clock.h"
#include "sched/channel_operations.h"
#include "sched/spawn.h"
#include "sched/timers.h"
#include "tandem/detail/duration.h"
#include "tandem/detail/timer_core.h"

namespace tandem::sched {

namespace {

using detail::FunctionTimerOperations;
using detail::TimePoint;
using detail::TimerRecord;

constexpr std::uint64_t kRetryNs = 1'000'000;  // after a goroutine could not be started for lack of memory

struct TimerState : TimerNode {
  void* object = nullptr;  // a ChannelCore, or what `operations` want
  const FunctionTimerOperations* operations = nullptr;
  std::uint64_t period_ns = 0;
  std::atomic<bool> stopped{false};  // a periodic callback looks at it before it arms the timer again
};
static_assert(sizeof(TimerState) <= sizeof(TimerRecord) && alignof(TimerState) <= alignof(TimerRecord));

TimerState* state_of(TimerRecord& record) {
  auto* const state = std::launder(reinterpret_cast<TimerState*>(&record));
  return state->fire == nullptr ? nullptr : state;  // zero bytes: never started
}

void send_time(TimerNode& node, Processor& here) {
  auto& timer = static_cast<TimerState&>(node);
  auto& core = *static_cast<ChannelCore*>(timer.object);
  const std::uint64_t now_ns = base::now_ns();
  TimePoint now = detail::time_point_of(now_ns);
  core.lock.lock();
  const Attempt made = attempt_send(core, &now, detail::kElementOperations<TimePoint>);
  core.lock.unlock();
  // Armed before the receiver can run: it may stop the timer.
  if (timer.period_ns != 0 && !timer.stopped.load(std::memory_order_acquire)) {
    const std::uint64_t missed = (now_ns - timer.when_ns) / timer.period_ns;
    arm(timer, timer.when_ns + (missed + 1) * timer.period_ns, here);
  }
  if (made.wake != nullptr) ready(*made.wake, here);
}

void start_goroutine(TimerNode& node, Processor& here) {
  auto& timer = static_cast<TimerState&>(node);
  const FunctionTimerOperations& operations = *timer.operations;
  Goroutine* embryo = nullptr;
  try {
    embryo = &begin_spawn(&here, operations.closure, operations.closure_bytes, {});
  } catch (const std::bad_alloc&) {
    if (!timer.stopped.load(std::memory_order_acquire)) arm(timer, base::now_ns() + kRetryNs, here);
    return;
  }
  operations.construct(embryo->closure, timer.object);
  finish_spawn(*embryo, &here);
}

TimerState& prepare(TimerRecord& record) {
  TimerState* const state = state_of(record);
  return state != nullptr ? *state : *::new (&record) TimerState;
}

void start(TimerState& timer, std::uint64_t delay_ns) {
  Goroutine& self = running_goroutine("starting a Timer");
  timer.stopped.store(false, std::memory_order_relaxed);
  arm(timer, base::now_ns() + delay_ns, processor_of(self));
}

}  // namespace

}  // namespace tandem::sched

namespace tandem::detail {

using namespace sched;

void start_channel_timer(TimerRecord& record, ChannelCore& core, std::uint64_t delay_ns, std::uint64_t period_ns) {
  TimerState& timer = prepare(record);
  timer.fire = &send_time;
  timer.object = &core;
  timer.period_ns = period_ns;
  start(timer, delay_ns);
}

void start_function_timer(TimerRecord& record, void* object, const FunctionTimerOperations& operations,
                          std::uint64_t delay_ns) {
  TimerState& timer = prepare(record);
  timer.fire = &start_goroutine;
  timer.object = object;
  timer.operations = &operations;
  start(timer, delay_ns);
}

bool stop_timer(TimerRecord& record) noexcept {
  TimerState* const timer = state_of(record);
  if (timer == nullptr) return false;
  // Release: pairs with the acquire in the callbacks. A callback that has read `false` may arm the timer
  // after the first disarm has looked; when that has returned, the callback is over, and the next one will
  // read `true`.
  timer->stopped.store(true, std::memory_order_release);
  const bool first = disarm(*timer);
  return disarm(*timer) || first;
}

}  // namespace tandem::detail
