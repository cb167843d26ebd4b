#pragma once
/// \file
/// Local<T>: a precise root on a goroutine's stack.
///
/// \code
///   tandem::Local<Node> head = tandem::make<Node>(nullptr, 1);
///   head = tandem::make<Node>(head, 2);          // the first node stays reachable through the second
/// \endcode
///
/// A Local is two words: the complement of its own address (the tag) and the pointer. The collector scans the live part of
/// a stack for words that equal the complement of their own address; exactly those are followed by a root. So a Local
/// works wherever it lies on a goroutine's stack: in closures given to go(), arrays, optionals, returned values, through
/// exceptions. It must not lie anywhere else (on the unmanaged heap, in a global, in a C++20 coroutine frame): use
/// Persistent<T> there, and Member<T> inside managed objects. Copying its bytes (memcpy) loses the root.

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <type_traits>
#include <utility>

#include "tandem/detail/barrier.h"
#include "tandem/detail/checks.h"
#include "tandem/detail/indivisible.h"

namespace tandem {

template <class T>
class Member;
template <class T>
class Persistent;

/// A rooted reference to a managed T, or null. Costs two stores to make and one to destroy; no list, no thread_local.
/// Thread behaviour: as a plain pointer (unsynchronised use of one Local by two goroutines is a race). Never blocks.
template <class T>
class Local {
 public:
  using element_type = T;

  Local() noexcept {
    detail::store_local<T>(pointer_, nullptr);
    tag();
  }
  Local(std::nullptr_t) noexcept : Local() {}
  Local(const Local& other) noexcept : Local(Loaded{}, [&] { return other.pointer_; }) {}
  Local(Local&& other) noexcept : Local(Loaded{}, [&] { return other.pointer_; }) { other.clear(); }

  template <class U>
    requires(!std::is_same_v<U, T> && std::is_convertible_v<U*, T*>)
  Local(const Local<U>& other) noexcept : Local(Loaded{}, [&] { return other.raw(); }) {}
  template <class U>
    requires std::is_convertible_v<U*, T*>
  Local(const Member<U>& member) noexcept;
  template <class U>
    requires std::is_convertible_v<U*, T*>
  Local(const Persistent<U>& persistent) noexcept;

  // Volatile: both compilers delete plain stores to an object whose life ends, and a scan would see a stale root. Atomic: a
  // collector worker may be scanning the closure that a Timer or another owner destroys.
  ~Local() { __atomic_store_n(const_cast<volatile std::uintptr_t*>(&tag_), 0, __ATOMIC_RELAXED); }

  Local& operator=(const Local& other) noexcept {
    TANDEM_INDIVISIBLE;
    return assign(other.pointer_);
  }
  Local& operator=(Local&& other) noexcept {
    TANDEM_INDIVISIBLE;
    T* const pointer = other.pointer_;
    other.clear();
    return assign(pointer);
  }
  Local& operator=(std::nullptr_t) noexcept {
    clear();
    return *this;
  }
  template <class U>
    requires std::is_convertible_v<U*, T*>
  Local& operator=(const Local<U>& other) noexcept {
    TANDEM_INDIVISIBLE;
    return assign(other.raw());
  }
  template <class U>
    requires std::is_convertible_v<U*, T*>
  Local& operator=(const Member<U>& member) noexcept;

  T* operator->() const noexcept { return detail::dereferenced(pointer_); }
  std::add_lvalue_reference_t<T> operator*() const noexcept { return *detail::dereferenced(pointer_); }
  explicit operator bool() const noexcept { return pointer_ != nullptr; }

  /// The plain pointer; valid while something keeps the object reachable, this Local for one.
  T* raw() const noexcept { return pointer_; }
  T* get() const noexcept { return pointer_; }

  /// For the library: roots an object given by a plain pointer.
  static Local from_raw(T* pointer) noexcept {
    return Local(Loaded{}, [pointer] { return pointer; });
  }
  /// For the library: roots what `load` returns, with no poll in between.
  template <class Load>
  [[gnu::always_inline]] static Local loaded(const Load& load) noexcept(noexcept(load())) {
    return Local(Loaded{}, load);
  }

  friend bool operator==(const Local& a, std::nullptr_t) noexcept { return a.pointer_ == nullptr; }

 private:
  struct Loaded {};

  // Order (DESIGN 13.14): the pointer, then the tag by release, so that a scanner that sees the tag sees the pointer. The
  // empty asm lets the address escape: every later opaque call then finds both words in memory.
  template <class Load>
  [[gnu::always_inline]] Local(Loaded, const Load& load) noexcept(noexcept(load())) {
    TANDEM_INDIVISIBLE;
    T* const pointer = load();
    detail::store_local(pointer_, pointer);
    tag();
    detail::local_written(this, pointer);
  }

  [[gnu::always_inline]] void tag() noexcept {
    if constexpr (detail::kDebugChecks) detail::check_local_place(this);
    asm volatile("" : : "r"(this));
    __atomic_store_n(&tag_, ~reinterpret_cast<std::uintptr_t>(this), __ATOMIC_RELEASE);
  }

  // The slot may lie on another goroutine's stack (captured by reference): then this is what crosses stacks. The caller has
  // begun an indivisible section before it loaded the pointer.
  [[gnu::always_inline]] Local& assign(T* pointer) noexcept {
    detail::store_local(pointer_, pointer);
    detail::local_written(this, pointer);
    return *this;
  }
  [[gnu::always_inline]] void clear() noexcept {
    detail::store_local<T>(pointer_, nullptr);
    detail::local_cleared(this);
  }

  std::uintptr_t tag_;
  T* pointer_;
};

template <class T, class U>
bool operator==(const Local<T>& a, const Local<U>& b) noexcept {
  return a.raw() == b.raw();
}

/// Roots `object`, a managed object given by pointer or `this`. \code auto self = tandem::local_from(this); \endcode
template <class T>
Local<T> local_from(T* object) noexcept {
  return Local<T>::from_raw(object);
}

/// static_cast between managed types: base to derived and back. The caller knows that the object is a D.
template <class D, class B>
Local<D> cast(const Local<B>& local) noexcept {
  return Local<D>::from_raw(static_cast<D*>(local.raw()));
}

}  // namespace tandem

template <class T>
struct std::hash<tandem::Local<T>> {
  std::size_t operator()(const tandem::Local<T>& local) const noexcept { return std::hash<T*>{}(local.raw()); }
};
