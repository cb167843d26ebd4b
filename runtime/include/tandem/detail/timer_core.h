#pragma once
// The parts of Timer, Ticker and after() that live in the managed heap, and what sched/timer_object.cpp does
// with them.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <type_traits>
#include <utility>

#include "tandem/channel.h"
#include "tandem/detail/closure.h"
#include "tandem/detail/closure_cell.h"
#include "tandem/local.h"
#include "tandem/visitor.h"

namespace tandem::detail {

using TimePoint = std::chrono::steady_clock::time_point;

/// Room for the scheduler's record of a timer. Zero bytes are a timer that was never started.
struct TimerRecord {
  alignas(8) std::byte bytes[72]{};
};

/// Starts a timer that sends the time to `core` after `delay_ns`, then every `period_ns` when that is not 0.
/// A value that finds no room is dropped. The record must not be running. On a goroutine.
void start_channel_timer(TimerRecord& record, ChannelCore& core, std::uint64_t delay_ns, std::uint64_t period_ns);

/// What a function timer starts when it expires: a goroutine with a closure that keeps `object` reachable.
struct FunctionTimerOperations {
  ClosureOperations closure;
  std::size_t closure_bytes;
  void (*construct)(void* closure, void* object);
};
void start_function_timer(TimerRecord& record, void* object, const FunctionTimerOperations& operations,
                          std::uint64_t delay_ns);

/// True: it was running and had not fired (since its last period). Returns when a firing that is in progress
/// is over.
bool stop_timer(TimerRecord& record) noexcept;

/// A channel with a timer that sends to it. When it becomes unreachable, the timer is stopped.
class TimerChannel final : public Channel<TimePoint> {
 public:
  TimerChannel() : Channel<TimePoint>(&room_, 1) {}
  ~TimerChannel() { stop(); }
  void trace(Visitor& visit) const { Channel<TimePoint>::trace(visit); }

  void start(std::uint64_t delay_ns, std::uint64_t period_ns) {
    start_channel_timer(timer_, core(), delay_ns, period_ns);
  }
  bool stop() noexcept { return stop_timer(timer_); }

 private:
  TimerRecord timer_;
  ElementStorage<TimePoint> room_;
};

/// A function with a timer that starts it as a goroutine; what the function is, the derived types know. Kept by its Timer
/// and by the goroutines that run the function; the Timer stops it before it lets go of it.
class TimerFunction {
 public:
  void trace(Visitor&) const {}

  void start(std::uint64_t delay_ns) { start_function_timer(timer_, this, kOperations, delay_ns); }
  bool stop() noexcept { return stop_timer(timer_); }

 protected:
  explicit TimerFunction(void (*call)(TimerFunction&)) : invoke_(call) {}

 private:
  struct Call {
    Local<TimerFunction> timer;
  };
  static void invoke(void* closure) {
    TimerFunction& timer = *static_cast<Call*>(closure)->timer;
    timer.invoke_(timer);
  }
  static void destroy(void* closure) noexcept { static_cast<Call*>(closure)->~Call(); }
  static void construct(void* closure, void* object) {
    ::new (closure) Call{Local<TimerFunction>::from_raw(static_cast<TimerFunction*>(object))};
  }
  static const FunctionTimerOperations kOperations;

  TimerRecord timer_;
  void (*invoke_)(TimerFunction&);
};

/// A function that can hold no Local lies in the managed object itself, which then needs no destructor.
template <class F>
inline constexpr bool kFitsInTimer = std::is_trivially_copyable_v<F> && sizeof(F) <= 128 && alignof(F) <= 8;

template <class F>
class InlineTimerFunction final : public TimerFunction {
 public:
  explicit InlineTimerFunction(const F& function)
      : TimerFunction([](TimerFunction& self) { std::invoke(static_cast<InlineTimerFunction&>(self).function_); }),
        function_(function) {}
  void trace(Visitor&) const {}

 private:
  F function_;
};

/// Any other lies in a cell that is scanned.
template <class F>
class ScannedTimerFunction final : public TimerFunction {
 public:
  explicit ScannedTimerFunction(ClosureCell function)
      : TimerFunction([](TimerFunction& self) {
          std::invoke(*static_cast<F*>(static_cast<ScannedTimerFunction&>(self).function_.get()));
        }),
        function_(std::move(function)) {}
  ~ScannedTimerFunction() { stop(); }
  void trace(Visitor&) const {}

 private:
  ClosureCell function_;
};

inline constexpr FunctionTimerOperations TimerFunction::kOperations{
    {&TimerFunction::invoke, &TimerFunction::destroy}, sizeof(Call), &TimerFunction::construct};

}  // namespace tandem::detail
