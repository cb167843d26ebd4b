#pragma once
/// \file
/// Channel<T>: Go's channels. A channel is a managed object; goroutines send and receive through
/// Local<Channel<T>>.
///
/// \code
///   tandem::Local<tandem::Channel<int>> squares = tandem::make_channel<int>(8);
///   tandem::go([=] {
///     for (int i = 0; i < 100; ++i) squares->send(i * i);
///     squares->close();
///   });
///   long sum = 0;
///   for (int square : *squares) sum += square;
/// \endcode

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "tandem/array.h"
#include "tandem/detail/channel_core.h"
#include "tandem/detail/channel_element.h"
#include "tandem/detail/rooted_form.h"
#include "tandem/local.h"
#include "tandem/make.h"
#include "tandem/member.h"
#include "tandem/visitor.h"

namespace tandem {

/// Thrown by a send on a closed channel and by a second close: a mistake of the program, as in Go.
class ChannelClosed : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// What try_receive found.
template <class T>
struct TryReceived {
  enum Status : std::uint8_t {
    received,  ///< there was a value
    empty,     ///< nothing to receive now
    closed,    ///< closed, and all that was sent has been received
  };
  Status status = empty;
  std::optional<detail::RootedForm<T>> value;  ///< set if and only if status is `received`

  explicit operator bool() const noexcept { return status == received; }
};

template <class T>
class Channel;

/// A new channel whose buffer holds `capacity` elements; 0: a send waits for its receiver. T is any leaf type
/// whose move does not throw, Member<U>, or a struct with trace(). capacity is at most 2^31. A safepoint; on
/// a goroutine only. Throws std::bad_alloc as make does, std::length_error for a larger capacity.
template <class T>
[[nodiscard]] Local<Channel<T>> make_channel(std::size_t capacity = 0);

/// First in, first out, for any number of senders and receivers. The rooted form R(T) of T, which is sent and
/// received, is T itself; for T = Member<U> it is Local<U>; for a struct with Members it is Rooted<T>.
///
/// Threads: all members may be called by any number of goroutines at once, on goroutines only. Waiters are
/// served in the order in which they came. A send happens before the matching receive completes; a close
/// happens before a receive that finds the channel closed; the k-th receive happens before send k + capacity
/// completes.
///
/// Elements are moved, and destroyed, by whichever goroutine transfers them, under the channel's spin lock:
/// T's move and destructor must not park or use the same channel.
template <class T>
class Channel {
 public:
  using value_type = detail::RootedForm<T>;

 private:
  using Element = detail::ChannelElement<T>;

 public:
  /// Sends `value`; waits while the buffer is full, or without a buffer until a receiver takes it. Parks the
  /// goroutine. Throws ChannelClosed when the channel is or becomes closed (the value is lost), Cancelled.
  void send(value_type value) {
    detail::poll_in_call();
    TANDEM_INDIVISIBLE;
    core_.lock.lock();
    if (core_.can_put()) [[likely]] {
      put(std::move(value));
      return;
    }
    send_slow(std::move(value));
  }

  /// Sends without waiting. False: there is no room and no receiver. Never parks for the channel. Throws
  /// ChannelClosed.
  [[nodiscard]] bool try_send(value_type value) {
    detail::poll_in_call();
    TANDEM_INDIVISIBLE;
    core_.lock.lock();
    if (core_.can_put()) [[likely]] {
      put(std::move(value));
      return true;
    }
    return try_send_slow(std::move(value));
  }

  /// The next element; waits for one. nullopt: closed, and drained. Parks the goroutine. Throws Cancelled.
  std::optional<value_type> receive() {
    detail::poll_in_call();
    TANDEM_INDIVISIBLE;
    core_.lock.lock();
    if (core_.can_take()) [[likely]]
      return take();
    // Not in receive_slow(): g++ returns an optional through memory, in two stores that one load then waits for.
    typename Element::Slot slot;
    if (!receive_slow(slot)) return std::nullopt;
    return slot.extract();
  }

  /// Receives without waiting. Never parks for the channel.
  [[nodiscard]] TryReceived<T> try_receive() {
    detail::poll_in_call();
    TANDEM_INDIVISIBLE;
    core_.lock.lock();
    if (core_.can_take()) [[likely]]
      return {TryReceived<T>::received, take()};
    return try_receive_slow();
  }

  /// No more sends; what is in the buffer can still be received. Wakes all waiters: receivers get nullopt,
  /// senders ChannelClosed. Never parks. Throws ChannelClosed when the channel is closed already.
  void close() {
    if (!detail::channel_close(core_)) detail::throw_close_of_closed();
  }

  /// Elements in the buffer at some moment of the call, and its size.
  std::size_t size() const noexcept {
    detail::poll_in_call();
    return core_.size();
  }
  std::size_t capacity() const noexcept { return core_.capacity; }

  /// `for (auto value : *channel)` receives until the channel is closed and drained. The iterators keep the
  /// channel reachable. Advancing parks the goroutine and throws Cancelled, as receive() does.
  class Iterator;
  struct Sentinel {};
  Iterator begin() { return Iterator(local_from(this)); }
  Sentinel end() noexcept { return {}; }

  void trace(Visitor& visit) const {
    if constexpr (Element::kManagedBuffer) visit(buffer_);
  }

  // -- For the library: make_channel, select, timers.

  /// `buffer` holds `capacity` elements, or null when that is 0 or the element type wants unmanaged memory.
  Channel(const Local<Array<typename Element::BufferElement>>& buffer, std::uint32_t capacity)
    requires Element::kManagedBuffer
      : buffer_(buffer) {
    core_.capacity = capacity;
    if (capacity != 0) core_.elements = reinterpret_cast<std::byte*>(buffer->data());
  }
  explicit Channel(std::uint32_t capacity)
    requires(!Element::kManagedBuffer)
  {
    if (capacity != 0) core_.elements = reinterpret_cast<std::byte*>(std::allocator<T>().allocate(capacity));
    core_.capacity = capacity;
  }
  /// For derived types that bring their own room for `capacity` elements.
  Channel(void* elements, std::uint32_t capacity)
    requires(detail::kIsLeaf<T> && std::is_trivially_destructible_v<T>)
  {
    core_.capacity = capacity;
    core_.elements = static_cast<std::byte*>(elements);
  }
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  ~Channel()
    requires(!Element::kDestroys)
  = default;
  ~Channel() { destroy_elements(); }

  detail::ChannelCore& core() noexcept { return core_; }

 private:
  static constexpr bool kBoxed = std::is_same_v<value_type, Rooted<T>>;
  static constexpr std::size_t kElementBytes = sizeof(typename Element::BufferElement);

  // Both with the lock held, which they release.
  [[gnu::always_inline]] void put(value_type&& value) noexcept {
    Element::put(core_.elements + core_.tail() * kElementBytes, std::move(value));
    core_.added();
    core_.lock.unlock();
  }
  [[gnu::always_inline]] std::optional<value_type> take() noexcept(!kBoxed) {
    void* const element = core_.elements + core_.head * kElementBytes;
    if constexpr (kBoxed) {
      const Local<T> box = Element::take_reference(element);
      core_.removed();
      core_.lock.unlock();
      return std::optional<value_type>(std::in_place, std::move(*box));  // allocates: not under the lock
    } else {
      std::optional<value_type> result = Element::take(element);
      core_.removed();
      core_.lock.unlock();
      return result;
    }
  }

  // The slow paths are called with the lock held and keep the channel reachable by a root of their own: the
  // caller's Local may be assigned by another goroutine meanwhile.
  [[gnu::noinline]] TANDEM_UNINSTRUMENTED void send_slow(value_type value) {
    const Local<Channel> self = local_from(this);
    if (detail::channel_send_slow(core_, &value, detail::kElementOperations<T>) == detail::ChannelResult::kClosed)
      detail::throw_send_on_closed();
  }
  [[gnu::noinline]] TANDEM_UNINSTRUMENTED bool try_send_slow(value_type value) {
    const auto result = detail::channel_try_send_slow(core_, &value, detail::kElementOperations<T>);
    if (result == detail::ChannelResult::kClosed) detail::throw_send_on_closed();
    return result == detail::ChannelResult::kDone;
  }
  /// False: closed and drained.
  [[gnu::noinline]] TANDEM_UNINSTRUMENTED bool receive_slow(typename Element::Slot& slot) {
    const Local<Channel> self = local_from(this);
    return detail::channel_receive_slow(core_, slot.address(), detail::kElementOperations<T>) !=
           detail::ChannelResult::kClosed;
  }
  [[gnu::noinline]] TANDEM_UNINSTRUMENTED TryReceived<T> try_receive_slow() {
    typename Element::Slot slot;
    switch (detail::channel_try_receive_slow(core_, slot.address(), detail::kElementOperations<T>)) {
      case detail::ChannelResult::kDone: return {TryReceived<T>::received, slot.extract()};
      case detail::ChannelResult::kClosed: return {TryReceived<T>::closed, std::nullopt};
      default: return {TryReceived<T>::empty, std::nullopt};
    }
  }

  void destroy_elements() noexcept {
    T* const elements = reinterpret_cast<T*>(core_.elements);
    for (; core_.size() != 0; core_.removed()) std::launder(elements + core_.head)->~T();
    if (elements != nullptr) std::allocator<T>().deallocate(elements, core_.capacity);
  }

  struct NoBuffer {};
  using Buffer = std::conditional_t<Element::kManagedBuffer, Member<Array<typename Element::BufferElement>>, NoBuffer>;

  detail::ChannelCore core_;
  [[no_unique_address]] Buffer buffer_;
};

template <class T>
class Channel<T>::Iterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using difference_type = std::ptrdiff_t;
  using value_type = typename Channel::value_type;

  explicit Iterator(Local<Channel> channel) : channel_(std::move(channel)), value_(channel_->receive()) {}

  /// The element, which the loop variable takes over.
  value_type operator*() { return std::move(*value_); }
  Iterator& operator++() {
    value_ = channel_->receive();
    return *this;
  }
  void operator++(int) { ++*this; }
  friend bool operator==(const Iterator& iterator, Sentinel) noexcept { return !iterator.value_.has_value(); }

 private:
  Local<Channel> channel_;
  std::optional<value_type> value_;
};

template <class T>
Local<Channel<T>> make_channel(std::size_t capacity) {
  using Element = detail::ChannelElement<T>;
  if (capacity > (std::size_t{1} << 31)) detail::throw_bad_capacity(capacity);
  const auto slots = static_cast<std::uint32_t>(capacity);
  if constexpr (Element::kManagedBuffer) {
    Local<Array<typename Element::BufferElement>> buffer;
    if (slots != 0) buffer = make_array<typename Element::BufferElement>(slots);
    return make<Channel<T>>(buffer, slots);
  } else {
    return make<Channel<T>>(slots);
  }
}

}  // namespace tandem
