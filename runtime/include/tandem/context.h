#pragma once
/// \file
/// Context: cancellation, deadlines and values that are handed down a tree of calls, as Go's context package.
///
/// \code
///   using namespace std::chrono_literals;
///   tandem::Local<tandem::Context> request = tandem::with_timeout(tandem::Context::background(), 50ms);
///   tandem::go([=] { work(request); });            // looks at request->done() and request->error()
///   tandem::select(tandem::on_receive(request->done()), tandem::on_receive(answers));
///   request->cancel();                             // releases the timer
/// \endcode

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>
#include <variant>

#include "tandem/channel.h"
#include "tandem/detail/context_value.h"
#include "tandem/detail/duration.h"
#include "tandem/detail/spin_lock.h"
#include "tandem/make.h"
#include "tandem/member.h"
#include "tandem/timer.h"
#include "tandem/visitor.h"

namespace tandem {

class Context;

Local<Context> with_cancel(const Local<Context>& parent);
template <class Clock, class Duration>
Local<Context> with_deadline(const Local<Context>& parent, const std::chrono::time_point<Clock, Duration>& time);
template <class V>
Local<Context> with_value(const Local<Context>& parent, const ContextKey<V>& key,
                          std::type_identity_t<detail::ContextForm<V>> value);

/// A managed object; made by background() and the with_ functions, handed on as Local<Context>. It is over
/// when cancel() is called, its deadline has passed, or its parent is over. All members may be called by any
/// goroutine at any time; none parks. Whoever makes one calls its cancel() in the end, or it stays with its
/// parent until that is over.
class Context {
 public:
  /// A channel that is closed, and never sent to.
  using DoneChannel = Channel<std::monostate>;

  /// A new root: never over by itself, without deadline and values.
  [[nodiscard]] static Local<Context> background() { return make<Context>(Local<Context>(), kNoDeadlineNs); }

  /// Closed when the context is over. Never null.
  Local<DoneChannel> done() const noexcept { return done_; }

  /// Empty until the context is over; then std::errc::operation_canceled, or std::errc::timed_out when a
  /// deadline has passed. Set before done() is closed.
  std::error_code error() const noexcept {
    detail::poll_in_call();  // computing goroutines ask for it now and then
    const int error = error_.load(std::memory_order_acquire);
    return error == 0 ? std::error_code() : std::make_error_code(static_cast<std::errc>(error));
  }

  /// Ends this context and those made from it. Later calls, and calls on one that is over, do nothing.
  void cancel() { end(local_from(this), static_cast<int>(std::errc::operation_canceled)); }

  /// When it will be over at the latest.
  std::optional<std::chrono::steady_clock::time_point> deadline() const noexcept {
    if (deadline_ns_ == kNoDeadlineNs) return std::nullopt;
    return detail::time_point_of(deadline_ns_);
  }

  /// The value given with `key` to this context or its nearest ancestor that has one. Local<U> for V =
  /// Member<U>.
  template <class V>
  std::optional<detail::ContextForm<V>> value(const ContextKey<V>& key) const {
    for (Local<Context> context = local_from(const_cast<Context*>(this)); context; context = context->parent_)
      if (context->key_ == &key) return detail::to_rooted(cast<detail::ContextBox<V>>(context->value_.get())->value);
    return std::nullopt;
  }

  void trace(Visitor& visit) const {
    visit(parent_);
    visit(done_);
    visit(value_);
    visit(first_child_);
    visit(next_);
    visit(previous_);
  }

  // -- For make: use the functions.
  Context(const Local<Context>& parent, std::uint64_t deadline_ns)
      : parent_(parent), done_(make_channel<std::monostate>()), deadline_ns_(deadline_ns) {}

 private:
  friend Local<Context> with_cancel(const Local<Context>& parent);
  template <class Clock, class Duration>
  friend Local<Context> with_deadline(const Local<Context>& parent,
                                      const std::chrono::time_point<Clock, Duration>& time);
  template <class V>
  friend Local<Context> with_value(const Local<Context>& parent, const ContextKey<V>& key,
                                   std::type_identity_t<detail::ContextForm<V>> value);

  static constexpr std::uint64_t kNoDeadlineNs = UINT64_MAX;

  static Local<Context> child_of(const Local<Context>& parent, std::uint64_t deadline_ns) {
    const std::uint64_t inherited = parent->deadline_ns_;
    Local<Context> child = make<Context>(parent, deadline_ns < inherited ? deadline_ns : inherited);
    if (const int error = parent->adopt(child)) end(child, error);
    return child;
  }

  /// Links a child, or returns the error with which this context is over.
  int adopt(const Local<Context>& child) {
    TANDEM_INDIVISIBLE;
    lock_.lock();
    const int error = error_.load(std::memory_order_relaxed);
    if (error == 0) {
      child->next_ = first_child_;
      if (Context* const first = first_child_.raw()) first->previous_ = child;
      first_child_ = child;
    }
    lock_.unlock();
    return error;
  }

  /// Unlinks a child, unless this context is over: then its list belongs to whoever ended it.
  void disown(const Local<Context>& child) {
    TANDEM_INDIVISIBLE;
    lock_.lock();
    if (error_.load(std::memory_order_relaxed) == 0 && (child->previous_ || first_child_ == child)) {
      if (Context* const next = child->next_.raw()) next->previous_ = child->previous_;
      if (Context* const previous = child->previous_.raw())
        previous->next_ = child->next_;
      else
        first_child_ = child->next_;
      child->next_ = nullptr;
      child->previous_ = nullptr;
    }
    lock_.unlock();
  }

  /// Ends `top` and what hangs below it, parents before children. The list of children of a context that is
  /// over belongs to the call that ended it, so this walk and those of other calls never meet.
  static void end(const Local<Context>& top, int error) {
    if (!top->end_alone(error)) return;
    if (const Local<Context> parent = top->parent_) parent->disown(top);
    Local<Context> context = top;
    for (bool ours = true;;) {
      Local<Context> next;
      if (ours) {
        next = context->first_child_;
        context->first_child_ = nullptr;
      }
      while (!next && context != top) {
        next = context->next_;
        context->next_ = nullptr;
        context->previous_ = nullptr;
        if (!next) context = context->parent_;
      }
      if (!next) return;
      context = next;
      ours = context->end_alone(error);
    }
  }

  /// False: it was over before.
  bool end_alone(int error) {
    std::optional<Timer> timer;  // destroyed under no lock
    TANDEM_INDIVISIBLE;
    lock_.lock();
    const bool first = error_.load(std::memory_order_relaxed) == 0;
    if (first) {
      // Release: pairs with the acquire in error().
      error_.store(error, std::memory_order_release);
      timer.swap(timer_);
    }
    lock_.unlock();
    if (first) done_->close();
    return first;
  }

  void start_timer(const Local<Context>& self) {
    const std::uint64_t now_ns = detail::runtime_now_ns();
    if (deadline_ns_ <= now_ns) return end(self, static_cast<int>(std::errc::timed_out));
    std::optional<Timer> timer(std::in_place, std::chrono::nanoseconds(deadline_ns_ - now_ns),
                               [self] { end(self, static_cast<int>(std::errc::timed_out)); });
    TANDEM_INDIVISIBLE;
    lock_.lock();
    if (error_.load(std::memory_order_relaxed) == 0) timer.swap(timer_);
    lock_.unlock();
  }

  Member<Context> parent_;
  Member<DoneChannel> done_;
  Member<detail::ContextBoxBase> value_;
  const void* key_ = nullptr;
  const std::uint64_t deadline_ns_;
  std::atomic<int> error_{0};
  detail::SpinLock lock_;
  // Children that are not over; guarded by lock_ of the parent until that is over.
  Member<Context> first_child_, next_, previous_;
  std::optional<Timer> timer_;
};

/// A context that is over when its cancel() is called, or `parent` is over. A safepoint; throws
/// std::bad_alloc, as all four do.
[[nodiscard]] inline Local<Context> with_cancel(const Local<Context>& parent) {
  return Context::child_of(parent, Context::kNoDeadlineNs);
}

/// One that is over at `time` at the latest (at the parent's deadline, if that is earlier).
template <class Clock, class Duration>
[[nodiscard]] Local<Context> with_deadline(const Local<Context>& parent,
                                           const std::chrono::time_point<Clock, Duration>& time) {
  const std::uint64_t deadline_ns = detail::deadline_ns(time);
  Local<Context> child = Context::child_of(parent, deadline_ns);
  // A parent that ends earlier ends this one, so it needs no timer of its own.
  if (child->deadline_ns_ == deadline_ns) child->start_timer(child);
  return child;
}

/// One that is over after `duration` at the latest.
template <class Rep, class Period>
[[nodiscard]] Local<Context> with_timeout(const Local<Context>& parent,
                                          const std::chrono::duration<Rep, Period>& duration) {
  const std::uint64_t time_ns = detail::runtime_now_ns() + detail::saturated_ns(duration);
  return with_deadline(parent, detail::time_point_of(time_ns));
}

/// One that answers value(key) with `value`. Keys are compared by address: make them globals.
template <class V>
[[nodiscard]] Local<Context> with_value(const Local<Context>& parent, const ContextKey<V>& key,
                                        std::type_identity_t<detail::ContextForm<V>> value) {
  const Local<detail::ContextBox<V>> box =
      make<detail::ContextBox<V>>(detail::from_rooted<detail::ContextElement<V>>(value));
  Local<Context> child = Context::child_of(parent, Context::kNoDeadlineNs);
  child->value_ = box;
  child->key_ = &key;
  return child;
}

}  // namespace tandem
