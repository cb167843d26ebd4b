#pragma once
// The typed cases that on_receive, on_send, on_timeout and otherwise return. They stay where they are while
// the select runs, because slots point into them.

#include <cstdint>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include "tandem/channel.h"
#include "tandem/detail/select_core.h"
#include "tandem/persistent.h"

namespace tandem::detail {

struct NoHandler {
  template <class... Arguments>
  void operator()(Arguments&&...) const noexcept {}
};

template <class T, class Handler>
class ReceiveCase {
 public:
  static constexpr bool kIsSelectCase = true;

  template <class H>
  ReceiveCase(const Local<Channel<T>>& channel, H&& handler) : channel_(channel), handler_(std::forward<H>(handler)) {
    static_assert(std::is_invocable_v<Handler&, std::optional<RootedForm<T>>>,
                  "on_receive: the handler takes std::optional<R>, R being what receive() gives");
  }

  void describe(SelectCase& entry) {
    entry.kind = CaseKind::kReceive;
    entry.channel = channel_ ? &channel_->core() : nullptr;
    entry.operations = &kElementOperations<T>;
    entry.slot = slot_.address();
  }
  void run(ChannelResult result) {
    if (result == ChannelResult::kDone)
      std::invoke(handler_, slot_.extract());
    else
      std::invoke(handler_, std::optional<RootedForm<T>>());
  }

 private:
  Local<Channel<T>> channel_;
  [[no_unique_address]] Handler handler_;
  typename ChannelElement<T>::Slot slot_;
};

template <class T, class Handler>
class SendCase {
 public:
  static constexpr bool kIsSelectCase = true;

  template <class H>
  SendCase(const Local<Channel<T>>& channel, RootedForm<T>&& value, H&& handler)
      : channel_(channel), value_(std::move(value)), handler_(std::forward<H>(handler)) {
    static_assert(std::is_invocable_v<Handler&>, "on_send: the handler takes no arguments");
  }

  void describe(SelectCase& entry) {
    entry.kind = CaseKind::kSend;
    entry.channel = channel_ ? &channel_->core() : nullptr;
    entry.operations = &kElementOperations<T>;
    entry.slot = &value_;
  }
  void run(ChannelResult result) {
    if (result == ChannelResult::kClosed) throw_send_on_closed();
    std::invoke(handler_);
  }

 private:
  Local<Channel<T>> channel_;
  RootedForm<T> value_;
  [[no_unique_address]] Handler handler_;
};

/// The send case of a Selector, which may be taken more than once: what goes out is a copy. A value that
/// cannot be copied goes out itself, once.
template <class T, class Handler>
class RepeatedSendCase {
 public:
  template <class H>
  RepeatedSendCase(const Local<Channel<T>>& channel, RootedForm<T>&& value, H&& handler)
      : channel_(channel), value_(std::move(value)), handler_(std::forward<H>(handler)) {
    static_assert(std::is_invocable_v<Handler&>, "on_send: the handler takes no arguments");
  }

  void describe(SelectCase& entry) {
    if constexpr (kCopies) outgoing_.emplace(value_);
    entry.kind = CaseKind::kSend;
    entry.channel = channel_ ? &channel_->core() : nullptr;
    entry.operations = &kElementOperations<T>;
    if constexpr (kCopies)
      entry.slot = &*outgoing_;
    else
      entry.slot = &value_;
  }
  void run(ChannelResult result) {
    if (result == ChannelResult::kClosed) throw_send_on_closed();
    if constexpr (!kCopies) channel_ = nullptr;
    std::invoke(handler_);
  }

 private:
  static constexpr bool kCopies = std::is_copy_constructible_v<RootedForm<T>>;
  struct Nothing {};

  Local<Channel<T>> channel_;
  RootedForm<T> value_;
  [[no_unique_address]] std::conditional_t<kCopies, std::optional<RootedForm<T>>, Nothing> outgoing_;
  [[no_unique_address]] Handler handler_;
};

template <class Handler>
class TimeoutCase {
 public:
  static constexpr bool kIsSelectCase = true;

  template <class H>
  TimeoutCase(std::uint64_t timeout_ns, H&& handler) : timeout_ns_(timeout_ns), handler_(std::forward<H>(handler)) {
    static_assert(std::is_invocable_v<Handler&>, "on_timeout: the handler takes no arguments");
  }

  void describe(SelectCase& entry) {
    entry.kind = CaseKind::kTimeout;
    entry.channel = nullptr;
    entry.timeout_ns = timeout_ns_;
  }
  void run(ChannelResult) { std::invoke(handler_); }

 private:
  std::uint64_t timeout_ns_;
  [[no_unique_address]] Handler handler_;
};

template <class Handler>
class OtherwiseCase {
 public:
  static constexpr bool kIsSelectCase = true;

  template <class H>
  explicit OtherwiseCase(H&& handler) : handler_(std::forward<H>(handler)) {
    static_assert(std::is_invocable_v<Handler&>, "otherwise: the handler takes no arguments");
  }

  void describe(SelectCase& entry) {
    entry.kind = CaseKind::kOtherwise;
    entry.channel = nullptr;
  }
  void run(ChannelResult) { std::invoke(handler_); }

 private:
  [[no_unique_address]] Handler handler_;
};

template <class T>
concept SelectableCase = requires { requires std::remove_cvref_t<T>::kIsSelectCase; };

/// A Member names its channel as well as a Local does.
template <class T>
struct ChannelReference;
template <class T>
struct ChannelReference<Local<Channel<T>>> {
  using Element = T;
};
template <class T>
struct ChannelReference<Member<Channel<T>>> {
  using Element = T;
};
template <class T>
struct ChannelReference<Persistent<Channel<T>>> {
  using Element = T;
};
template <class Reference>
using ElementOf = typename ChannelReference<std::remove_cvref_t<Reference>>::Element;

}  // namespace tandem::detail
