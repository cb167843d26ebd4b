#pragma once
/// \file
/// Persistent<T>: a root held anywhere: in globals, std::vector, std::function, exceptions, coroutine frames, on other threads.
///
/// \code
///   std::vector<tandem::Persistent<Node>> kept;
///   kept.push_back(tandem::make<Node>(nullptr, 1));
/// \endcode

#include <compare>
#include <cstddef>
#include <functional>
#include <type_traits>
#include <utility>

#include "tandem/detail/persistent_slot.h"
#include "tandem/local.h"
#include "tandem/member.h"

namespace tandem {

/// Keeps its object reachable wherever it lies, until it is reset, assigned or destroyed, or the run ends (then it becomes
/// null). Making, assigning and destroying a non-null one takes a short lock: use Local on stacks and Member in objects.
/// Any thread may copy, move, reset, compare and destroy; only goroutines may reach the object.
template <class T>
class Persistent {
 public:
  using element_type = T;

  Persistent() noexcept = default;
  Persistent(std::nullptr_t) noexcept {}
  template <class U>
    requires std::is_convertible_v<U*, T*>
  Persistent(const Local<U>& local) : Persistent(Raw{}, local.raw()) {}
  template <class U>
    requires std::is_convertible_v<U*, T*>
  Persistent(const Member<U>& member) : Persistent(Raw{}, member.raw()) {}
  Persistent(const Persistent& other) : Persistent(Raw{}, other.raw()) {}
  Persistent(Persistent&& other) noexcept : slot_(std::exchange(other.slot_, nullptr)) {}
  ~Persistent() { reset(); }

  Persistent& operator=(const Persistent& other) { return assign(other.raw()); }
  Persistent& operator=(Persistent&& other) noexcept {
    std::swap(slot_, other.slot_);
    other.reset();
    return *this;
  }
  Persistent& operator=(std::nullptr_t) noexcept {
    reset();
    return *this;
  }
  template <class U>
    requires std::is_convertible_v<U*, T*>
  Persistent& operator=(const Local<U>& local) {
    return assign(local.raw());
  }

  /// Becomes null.
  void reset() noexcept {
    if (slot_) detail::destroy_persistent_slot(std::exchange(slot_, nullptr));
  }

  T* operator->() const noexcept { return detail::dereferenced(raw()); }
  std::add_lvalue_reference_t<T> operator*() const noexcept { return *detail::dereferenced(raw()); }
  explicit operator bool() const noexcept { return raw() != nullptr; }
  Local<T> get() const noexcept {
    return Local<T>::loaded([this] { return raw(); });
  }
  T* raw() const noexcept { return slot_ ? static_cast<T*>(slot_->object.load(std::memory_order_acquire)) : nullptr; }

  friend bool operator==(const Persistent& a, std::nullptr_t) noexcept { return a.raw() == nullptr; }

 private:
  struct Raw {};
  Persistent(Raw, T* pointer) : slot_(pointer ? detail::make_persistent_slot(erase(pointer)) : nullptr) {}
  static void* erase(T* pointer) noexcept { return const_cast<void*>(static_cast<const volatile void*>(pointer)); }
  Persistent& assign(T* pointer) {
    if (!pointer)
      reset();
    else if (slot_)
      detail::assign_persistent_slot(slot_, erase(pointer));
    else
      slot_ = detail::make_persistent_slot(erase(pointer));
    return *this;
  }

  detail::PersistentSlot* slot_ = nullptr;
};

template <class T, class U>
bool operator==(const Persistent<T>& a, const Persistent<U>& b) noexcept {
  return a.raw() == b.raw();
}
template <class T, class U>
bool operator==(const Persistent<T>& a, const Local<U>& b) noexcept {
  return a.raw() == b.raw();
}
template <class T, class U>
bool operator==(const Persistent<T>& a, const Member<U>& b) noexcept {
  return a.raw() == b.raw();
}

template <class T>
template <class U>
  requires std::is_convertible_v<U*, T*>
Local<T>::Local(const Persistent<U>& persistent) noexcept : Local(Loaded{}, [&] { return persistent.raw(); }) {}

}  // namespace tandem

template <class T>
struct std::hash<tandem::Persistent<T>> {
  std::size_t operator()(const tandem::Persistent<T>& persistent) const noexcept {
    return std::hash<T*>{}(persistent.raw());
  }
};
