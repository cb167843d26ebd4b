#pragma once
/// \file
/// WeakMember<T>, WeakPersistent<T>: references that keep nothing alive.
///
/// \code
///   struct Child {
///     tandem::WeakMember<Parent> parent;
///     void trace(tandem::Visitor& visit) const { visit(parent); }
///   };
///   if (tandem::Local<Parent> parent = child->parent.lock()) parent->notify();
/// \endcode

#include <cstddef>
#include <type_traits>
#include <utility>

#include "tandem/detail/weak_handle.h"
#include "tandem/local.h"
#include "tandem/member.h"
#include "tandem/persistent.h"

namespace tandem {

namespace detail {

template <class T>
Local<WeakHandle> weak_handle_of(const Local<T>& object) {
  if (!object) return nullptr;
  return weak_handle_of(const_cast<void*>(static_cast<const volatile void*>(object.raw())));
}

template <class T>
Local<T> lock_weak_handle(const Local<WeakHandle>& handle) noexcept {
  if (!handle) return nullptr;
  return Local<T>::loaded([&] { return static_cast<T*>(lock_weak(*handle.raw())); });
}

}  // namespace detail

/// A reference inside a managed object to another one, which it does not keep alive. T may be incomplete until the first use.
///
/// Making one of a Local, and assigning one, may allocate: a safepoint, on a goroutine only; throws std::bad_alloc. Copies
/// share what that made. Racing unsynchronised accesses see some value that was stored, as with Member. trace() visits it.
template <class T>
class WeakMember {
 public:
  using element_type = T;

  WeakMember() noexcept = default;
  WeakMember(std::nullptr_t) noexcept {}
  WeakMember(const WeakMember&) noexcept = default;
  template <class U>
    requires std::is_convertible_v<U*, T*>
  WeakMember(const Local<U>& object) : handle_(detail::weak_handle_of(Local<T>(object))) {}
  template <class U>
    requires std::is_convertible_v<U*, T*>
  WeakMember(const Member<U>& object) : WeakMember(Local<T>(object)) {}

  WeakMember& operator=(const WeakMember&) noexcept = default;
  WeakMember& operator=(std::nullptr_t) noexcept {
    handle_ = nullptr;
    return *this;
  }
  template <class U>
    requires std::is_convertible_v<U*, T*>
  WeakMember& operator=(const Local<U>& object) {
    handle_ = detail::weak_handle_of(Local<T>(object));
    return *this;
  }
  template <class U>
    requires std::is_convertible_v<U*, T*>
  WeakMember& operator=(const Member<U>& object) {
    return *this = Local<T>(object);
  }

  /// The object, rooted; null if it has been collected, or there never was one. A destructor that has been begun counts as
  /// collected. On a goroutine only; takes a short lock while a cycle marks or sweeps.
  Local<T> lock() const noexcept { return detail::lock_weak_handle<T>(handle_.get()); }

  void trace(Visitor& visit) const { visit(handle_); }

 private:
  Member<detail::WeakHandle> handle_;
};

/// The same anywhere else: in globals, standard containers, on other threads. Any thread may copy, move, reset and destroy
/// it; making one of a Local, and lock(), are for goroutines. Null after the end of the run.
template <class T>
class WeakPersistent {
 public:
  using element_type = T;

  WeakPersistent() noexcept = default;
  WeakPersistent(std::nullptr_t) noexcept {}
  template <class U>
    requires std::is_convertible_v<U*, T*>
  WeakPersistent(const Local<U>& object) : handle_(detail::weak_handle_of(Local<T>(object))) {}
  template <class U>
    requires std::is_convertible_v<U*, T*>
  WeakPersistent(const Member<U>& object) : WeakPersistent(Local<T>(object)) {}
  template <class U>
    requires std::is_convertible_v<U*, T*>
  WeakPersistent(const Persistent<U>& object) : WeakPersistent(Local<T>(object)) {}

  /// As WeakMember::lock().
  Local<T> lock() const noexcept { return detail::lock_weak_handle<T>(handle_.get()); }
  void reset() noexcept { handle_.reset(); }

 private:
  Persistent<detail::WeakHandle> handle_;
};

template <class T>
struct is_leaf<WeakMember<T>> : std::false_type {};
template <class T>
struct is_leaf<WeakPersistent<T>> : std::true_type {};

}  // namespace tandem
