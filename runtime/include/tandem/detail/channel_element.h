#pragma once
// How the elements of a Channel<T> are kept, moved and handed over, by kind of T:
//   leaf         R(T) is T. The buffer is raw storage: a managed leaf array, which the collector never reads;
//   or, where
//                elements have a destructor, memory of the channel's own, because an array could be gone
//                before the channel's destructor runs.
//   Member<U>    R(T) is Local<U>. The buffer is a managed array of Members, and stores to it run the write
//   barrier. A slot on
//                a waiting goroutine's stack is a Local, written through Local's assignment, which shades
//                what crosses stacks.
//   traced T     R(T) is Rooted<T>, which keeps its T in a managed cell. The cell itself travels: the buffer
//   is an array of
//                Member<T>, slots are Local<T>, and the receiver builds its Rooted when the lock is released
//                (that allocates).

#include <cstddef>
#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

#include "tandem/array.h"
#include "tandem/detail/channel_core.h"
#include "tandem/detail/rooted_form.h"
#include "tandem/local.h"
#include "tandem/member.h"

namespace tandem::detail {

/// The operations of an element type, by kind. What is of none of the kinds below comes here, where ElementType<T> says
/// what to write instead; the rest is there so that nothing else is complained of.
template <class T>
struct ChannelElement {
  static_assert(sizeof(ElementType<T>) != 0);
  static constexpr bool kManagedBuffer = false;
  static constexpr bool kDestroys = false;
  using BufferElement = std::byte;
  struct Slot {
    void* address() noexcept;
    std::optional<RootedForm<T>> extract();
  };
  static void put(void* element, RootedForm<T>&& value) noexcept;
  static std::optional<RootedForm<T>> take(void* element) noexcept;
  static void put_erased(void* element, void* value);
  static void take_erased(void* element, void* out);
  static void hand_over(void* value, void* out);
};

/// Raw room for one T in a leaf array.
template <class T>
struct alignas(T) ElementStorage {
  std::byte bytes[sizeof(T)];
};

template <class T>
  requires kIsLeaf<T>
struct ChannelElement<T> {
  static_assert(std::is_nothrow_move_constructible_v<T>,
                "Channel<T>: moving a T must not throw, because elements are moved while a goroutine that "
                "waits cannot be told");
  static constexpr bool kManagedBuffer = std::is_trivially_destructible_v<T> && alignof(T) <= kCellAlignment;
  static constexpr bool kDestroys = !kManagedBuffer;  // the channel needs a destructor
  using BufferElement = ElementStorage<T>;

  /// Where a receive puts its value: on the receiver's stack, empty until it is told that there is one.
  class Slot {
   public:
    Slot() noexcept {}
    ~Slot() {}
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;
    void* address() noexcept { return &value_; }
    /// Once, after a value has arrived.
    std::optional<T> extract() noexcept {
      if constexpr (std::is_trivially_destructible_v<T>) {
        return std::optional<T>(std::move(value_));
      } else {
        Destroy destroy{value_};
        return std::optional<T>(std::move(value_));
      }
    }

   private:
    struct Destroy {
      T& value;
      ~Destroy() { value.~T(); }
    };
    union {
      T value_;
    };
  };

  [[gnu::always_inline]] static void put(void* element, T&& value) noexcept { ::new (element) T(std::move(value)); }
  [[gnu::always_inline]] static std::optional<T> take(void* element) noexcept {
    T& value = *std::launder(static_cast<T*>(element));
    std::optional<T> result(std::move(value));
    value.~T();
    return result;
  }

  // The library calls these with the channel's lock held, and sees to it that polls in them do nothing.
  static void put_erased(void* element, void* value) { put(element, std::move(*static_cast<T*>(value))); }
  static void take_erased(void* element, void* out) {
    T& value = *std::launder(static_cast<T*>(element));
    ::new (out) T(std::move(value));
    value.~T();
  }
  static void hand_over(void* value, void* out) { ::new (out) T(std::move(*static_cast<T*>(value))); }
};

/// Members and boxed structs: a reference to a U travels.
template <class U>
struct ReferenceElement {
  static constexpr bool kManagedBuffer = true;
  static constexpr bool kDestroys = false;
  using BufferElement = Member<U>;

  [[gnu::always_inline]] static void put_reference(void* element, U* value) noexcept {
    *static_cast<Member<U>*>(element) = local_from(value);
  }
  [[gnu::always_inline]] static Local<U> take_reference(void* element) noexcept {
    auto& member = *static_cast<Member<U>*>(element);
    Local<U> result(member);
    member = nullptr;  // what was received is not kept alive by the channel
    return result;
  }
  static void take_erased(void* element, void* out) { *static_cast<Local<U>*>(out) = take_reference(element); }
};

template <class U>
struct ChannelElement<Member<U>> : ReferenceElement<U> {
  using Base = ReferenceElement<U>;

  class Slot {
   public:
    void* address() noexcept { return &value_; }
    std::optional<Local<U>> extract() noexcept { return std::optional<Local<U>>(std::move(value_)); }

   private:
    Local<U> value_;
  };

  [[gnu::always_inline]] static void put(void* element, Local<U>&& value) noexcept {
    Base::put_reference(element, value.raw());
  }
  [[gnu::always_inline]] static std::optional<Local<U>> take(void* element) noexcept {
    return std::optional<Local<U>>(Base::take_reference(element));
  }
  static void put_erased(void* element, void* value) {
    Base::put_reference(element, static_cast<Local<U>*>(value)->raw());
  }
  // A copy, not a move: the sender's Local may be on a stack that is being scanned; its owner clears it.
  static void hand_over(void* value, void* out) { *static_cast<Local<U>*>(out) = *static_cast<Local<U>*>(value); }
};

template <class T>
  requires(!kIsLeaf<T> && Traced<T>)
struct ChannelElement<T> : ReferenceElement<T> {
  using Base = ReferenceElement<T>;

  class Slot {
   public:
    void* address() noexcept { return &value_; }
    std::optional<Rooted<T>> extract() { return std::optional<Rooted<T>>(std::in_place, std::move(*value_)); }

   private:
    Local<T> value_;
  };

  [[gnu::always_inline]] static void put(void* element, Rooted<T>&& value) noexcept {
    Base::put_reference(element, value.operator->());
  }
  static void put_erased(void* element, void* value) {
    Base::put_reference(element, static_cast<Rooted<T>*>(value)->operator->());
  }
  static void hand_over(void* value, void* out) {
    *static_cast<Local<T>*>(out) = local_from(static_cast<Rooted<T>*>(value)->operator->());
  }
};

template <class T>
inline constexpr ElementOperations kElementOperations{
    sizeof(typename ChannelElement<T>::BufferElement), kIsLeaf<T>&& std::is_trivially_copyable_v<T>,
    &ChannelElement<T>::put_erased, &ChannelElement<T>::take_erased, &ChannelElement<T>::hand_over};

}  // namespace tandem::detail
