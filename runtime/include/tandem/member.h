#pragma once
/// \file
/// Member<T>: a reference inside a managed object.
///
/// \code
///   struct Node {
///     tandem::Member<Node> next;
///     int value;
///     void trace(tandem::Visitor& visit) const { visit(next); }
///   };
/// \endcode

#include <atomic>
#include <cstddef>
#include <functional>
#include <type_traits>

#include "tandem/detail/barrier.h"
#include "tandem/detail/checks.h"
#include "tandem/local.h"

namespace tandem {

/// A reference from one managed object to another, or null; T may be incomplete. Assignment runs the write barrier; reading
/// gives a rooted value, so `a->b->method()` keeps b alive through the call. Reads and writes are atomic words: racing
/// unsynchronised accesses see some value that was stored, and never corrupt the heap. Constness is shallow. A Member must
/// lie in a managed object whose trace() visits it; on a stack use Local<T>, elsewhere Persistent<T>.
template <class T>
class Member {
 public:
  using element_type = T;

  Member() noexcept : slot_(nullptr) { check_place(); }
  Member(std::nullptr_t) noexcept : Member() {}
  Member(const Member& other) noexcept {
    TANDEM_INDIVISIBLE;
    initialise(other.raw());
  }
  template <class U>
    requires std::is_convertible_v<U*, T*>
  Member(const Local<U>& local) noexcept {
    TANDEM_INDIVISIBLE;
    initialise(static_cast<T*>(local.raw()));
  }
  template <class U>
    requires(!std::is_same_v<U, T> && std::is_convertible_v<U*, T*>)
  Member(const Member<U>& other) noexcept {
    TANDEM_INDIVISIBLE;
    initialise(static_cast<T*>(other.raw()));
  }

  Member& operator=(const Member& other) noexcept {
    TANDEM_INDIVISIBLE;
    return assign(other.raw());
  }
  Member& operator=(std::nullptr_t) noexcept {
    TANDEM_INDIVISIBLE;
    return assign(nullptr);
  }
  template <class U>
    requires std::is_convertible_v<U*, T*>
  Member& operator=(const Local<U>& local) noexcept {
    TANDEM_INDIVISIBLE;
    return assign(static_cast<T*>(local.raw()));
  }
  template <class U>
    requires(!std::is_same_v<U, T> && std::is_convertible_v<U*, T*>)
  Member& operator=(const Member<U>& other) noexcept {
    TANDEM_INDIVISIBLE;
    return assign(static_cast<T*>(other.raw()));
  }

  /// By way of a Local: the Persistent may be reset before the store is seen.
  template <class U>
    requires std::is_convertible_v<U*, T*>
  Member& operator=(const Persistent<U>& persistent) noexcept {
    return *this = persistent.get();
  }

  /// The object, rooted for as long as the result lives.
  Local<T> get() const noexcept {
    return Local<T>::loaded([this] { return raw(); });
  }
  Local<T> operator->() const noexcept { return get(); }
  std::add_lvalue_reference_t<T> operator*() const noexcept { return *detail::dereferenced(raw()); }
  explicit operator bool() const noexcept { return raw() != nullptr; }

  /// The plain pointer; valid while something else keeps the object reachable. Acquire: sees the object initialised.
  T* raw() const noexcept { return static_cast<T*>(slot_.load(std::memory_order_acquire)); }

  friend bool operator==(const Member& a, std::nullptr_t) noexcept { return a.raw() == nullptr; }

  /// For the library: the word itself.
  const std::atomic<void*>& slot() const noexcept { return slot_; }

 private:
  void check_place() const noexcept {
    if constexpr (detail::kDebugChecks) detail::check_member_place(this);
  }
  static void* erase(T* pointer) noexcept { return const_cast<void*>(static_cast<const volatile void*>(pointer)); }
  [[gnu::always_inline]] void initialise(T* pointer) noexcept {
    check_place();
    detail::initialise_managed(slot_, erase(pointer));
  }
  [[gnu::always_inline]] Member& assign(T* pointer) noexcept {
    detail::store_managed(slot_, erase(pointer));
    return *this;
  }

  std::atomic<void*> slot_;
};

template <class T, class U>
bool operator==(const Member<T>& a, const Member<U>& b) noexcept {
  return a.raw() == b.raw();
}
template <class T, class U>
bool operator==(const Member<T>& a, const Local<U>& b) noexcept {
  return a.raw() == b.raw();
}

template <class T>
template <class U>
  requires std::is_convertible_v<U*, T*>
Local<T>::Local(const Member<U>& member) noexcept : Local(Loaded{}, [&] { return member.raw(); }) {}

template <class T>
template <class U>
  requires std::is_convertible_v<U*, T*>
Local<T>& Local<T>::operator=(const Member<U>& member) noexcept {
  TANDEM_INDIVISIBLE;
  return assign(member.raw());
}

}  // namespace tandem

template <class T>
struct std::hash<tandem::Member<T>> {
  std::size_t operator()(const tandem::Member<T>& member) const noexcept { return std::hash<T*>{}(member.raw()); }
};
