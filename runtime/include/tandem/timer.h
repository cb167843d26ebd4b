#pragma once
/// \file
/// Timer, Ticker and after(): channels that receive the time, and functions that are started later.
///
/// \code
///   tandem::Ticker ticker(std::chrono::milliseconds(100));
///   auto deadline = tandem::after(std::chrono::seconds(1));
///   for (bool over = false; !over;)
///     tandem::select(tandem::on_receive(ticker.channel(), [](auto) { std::puts("tick"); }),
///                    tandem::on_receive(deadline, [&](auto) { over = true; }));
/// \endcode
///
/// Nothing comes early by steady_clock. A channel holds one value; ticks that find it full are dropped. All
/// are made and used on goroutines; their members may be called by several at once, except that start, stop
/// and reset of one object need an order between them. They may lie anywhere; their destructors stop them.

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "tandem/channel.h"
#include "tandem/detail/duration.h"
#include "tandem/detail/timer_core.h"
#include "tandem/make.h"
#include "tandem/persistent.h"

namespace tandem {

/// Fires once, `delay` from now (zero or less: at once): sends the time to channel(), or starts a function as
/// a goroutine.
class Timer {
 public:
  /// Throws std::bad_alloc, as does the other constructor.
  template <class Rep, class Period>
  explicit Timer(const std::chrono::duration<Rep, Period>& delay) {
    const Local<detail::TimerChannel> channel = make<detail::TimerChannel>();
    channel_ = channel;
    channel->start(detail::saturated_ns(delay), 0);
  }

  /// Starts f() as a goroutine of its own when the time has come. f is kept until the Timer is destroyed and
  /// no call of it is left; it may hold Locals. Its destructor runs on a goroutine of the runtime.
  template <class Rep, class Period, class F>
    requires std::is_invocable_v<std::decay_t<F>&>
  Timer(const std::chrono::duration<Rep, Period>& delay, F&& f) {
    using Function = std::decay_t<F>;
    Local<detail::TimerFunction> function;
    if constexpr (detail::kFitsInTimer<Function>)
      function = make<detail::InlineTimerFunction<Function>>(Function(std::forward<F>(f)));
    else
      function = make<detail::ScannedTimerFunction<Function>>(
          detail::ClosureCell::make<Function>("function of a Timer", std::forward<F>(f)));
    function_ = function;
    function->start(detail::saturated_ns(delay));
  }

  Timer(Timer&&) noexcept = default;
  Timer& operator=(Timer&& other) noexcept {
    stop();
    channel_ = std::move(other.channel_);
    function_ = std::move(other.function_);
    return *this;
  }
  ~Timer() { stop(); }

  /// True: it had not fired, and will not. False: it has fired, or was stopped before; a value that was sent
  /// stays in the channel, a function that was started goes on. Never parks.
  bool stop() noexcept {
    if (channel_) return channel_->stop();
    return function_ ? function_->stop() : false;
  }

  /// Starts it again, `delay` from now. A value of before that nobody has received is dropped. True: it had
  /// not fired.
  template <class Rep, class Period>
  bool reset(const std::chrono::duration<Rep, Period>& delay) {
    const bool was_running = stop();
    const std::uint64_t delay_ns = detail::saturated_ns(delay);
    if (channel_) {
      static_cast<void>(channel_->try_receive());
      channel_->start(delay_ns, 0);
    } else if (function_) {
      function_->start(delay_ns);
    }
    return was_running;
  }

  /// Receives the time at which the timer fired. Null for a timer with a function.
  Local<Channel<std::chrono::steady_clock::time_point>> channel() const { return channel_.get(); }

 private:
  Persistent<detail::TimerChannel> channel_;
  Persistent<detail::TimerFunction> function_;
};

/// Sends the time to channel() once every `period`. A slow receiver misses ticks; those it gets stay on the
/// grid.
class Ticker {
 public:
  /// Throws std::invalid_argument unless `period` is positive; std::bad_alloc.
  template <class Rep, class Period>
  explicit Ticker(const std::chrono::duration<Rep, Period>& period) {
    const std::uint64_t period_ns = checked(detail::saturated_ns(period));
    const Local<detail::TimerChannel> channel = make<detail::TimerChannel>();
    channel_ = channel;
    channel->start(period_ns, period_ns);
  }
  Ticker(Ticker&&) noexcept = default;
  Ticker& operator=(Ticker&& other) noexcept {
    stop();
    channel_ = std::move(other.channel_);
    return *this;
  }
  ~Ticker() { stop(); }

  /// No more ticks. The channel is not closed; a tick that was sent stays in it. Never parks.
  void stop() noexcept {
    if (channel_) channel_->stop();
  }

  /// The next tick comes one `period` from now. Throws std::invalid_argument unless `period` is positive.
  template <class Rep, class Period>
  void reset(const std::chrono::duration<Rep, Period>& period) {
    const std::uint64_t period_ns = checked(detail::saturated_ns(period));
    if (!channel_) return;
    channel_->stop();
    static_cast<void>(channel_->try_receive());
    channel_->start(period_ns, period_ns);
  }

  Local<Channel<std::chrono::steady_clock::time_point>> channel() const { return channel_.get(); }

 private:
  static std::uint64_t checked(std::uint64_t period_ns) {
    if (period_ns == 0) throw std::invalid_argument("tandem::Ticker: the period must be positive");
    return period_ns;
  }

  Persistent<detail::TimerChannel> channel_;
};

/// A channel that receives the time once, `delay` from now. Costs nothing any more when nobody can reach it.
template <class Rep, class Period>
[[nodiscard]] Local<Channel<std::chrono::steady_clock::time_point>> after(
    const std::chrono::duration<Rep, Period>& delay) {
  const Local<detail::TimerChannel> channel = make<detail::TimerChannel>();
  channel->start(detail::saturated_ns(delay), 0);
  return channel;
}

template <>
struct is_leaf<Timer> : std::true_type {};
template <>
struct is_leaf<Ticker> : std::true_type {};

}  // namespace tandem
