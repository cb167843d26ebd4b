#pragma once
// R(T), the rooted form of an element type T: what a Channel<T> or a Map<K, T> takes and gives on a goroutine's stack,
// where an element itself lies in the managed heap.
//
//   T                              R(T)
//   leaf                           T
//   Member<U>                      Local<U>
//   anything else that is traced   Rooted<T>

#include <type_traits>
#include <utility>

#include "tandem/local.h"
#include "tandem/member.h"
#include "tandem/rooted.h"
#include "tandem/visitor.h"

namespace tandem::detail {

template <class T>
struct IsLocal : std::false_type {};
template <class T>
struct IsLocal<Local<T>> : std::true_type {};
template <class T>
struct IsRooted : std::false_type {};
template <class T>
struct IsRooted<Rooted<T>> : std::true_type {};

/// Is T fit to be kept in the managed heap by value? Each failure says what to write instead.
template <class T>
struct ElementType {
  static_assert(
      !IsLocal<T>::value,
      "an element lies in a managed object, where a Local is no root: use Member<U> in place of Local<U>; what is "
      "put in and taken out is a Local<U> all the same");
  static_assert(
      !IsRooted<T>::value,
      "an element lies in a managed object, where a Rooted is no root: use S in place of Rooted<S>; what is put in "
      "and taken out is a Rooted<S> all the same");
  static_assert(
      IsLocal<T>::value || IsRooted<T>::value || Managed<T>,
      "this type might hold references, so it cannot be an element as it is. If it holds Members, add "
      "`void trace(tandem::Visitor& visit) const { visit(...); }` to it, which visits each; if it holds none, add "
      "`template <> struct tandem::is_leaf<...> : std::true_type {};` after it, with its name for the dots");
  static_assert(std::is_object_v<T> && !std::is_const_v<T> && !std::is_volatile_v<T>,
                "an element is a plain object type");
};

template <class T>
struct RootedFormOf {
  static_assert(sizeof(ElementType<T>) != 0);  // no base: clang would take Type for an int, and complain of that
  // What is fit for no element is itself: the message above is to be the only one.
  using Type = std::conditional_t<kIsLeaf<T> || !Managed<T>, T, Rooted<T>>;
};
template <class U>
struct RootedFormOf<Member<U>> {
  using Type = Local<U>;
};

template <class T>
using RootedForm = typename RootedFormOf<T>::Type;

/// R(T) of an element. `element` lies in a managed object that the caller keeps reachable: copying a traced struct
/// allocates, which is a safepoint.
template <class T>
[[nodiscard]] RootedForm<T> to_rooted(const T& element) {
  return RootedForm<T>(element);
}

/// The same for an element that is about to be destroyed or overwritten: leaves are moved out of it.
template <class T>
[[nodiscard]] RootedForm<T> take_rooted(T& element) {
  if constexpr (kIsLeaf<T>)
    return RootedForm<T>(std::move(element));
  else
    return RootedForm<T>(std::as_const(element));
}

/// From R(T) to what an element of type T is constructed or assigned from: T&& (a leaf, or the struct inside a Rooted that
/// is not used any more), or const Local<U>&. Refers to `value`.
template <class T>
[[nodiscard]] decltype(auto) from_rooted(RootedForm<T>& value) {
  if constexpr (IsMember<T>::value)
    return std::as_const(value);
  else if constexpr (kIsLeaf<T>)
    return std::move(value);
  else
    return std::move(*value);
}

}  // namespace tandem::detail
