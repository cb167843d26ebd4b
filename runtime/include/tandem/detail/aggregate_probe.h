#pragma once
// What an aggregate is made of, as far as it can be told by what initialises it. For messages only: both answers may be "no" where
// a constructor of a field takes anything, or does not take `{}`; then the compiler complains in its own words.

#include <cstddef>
#include <type_traits>
#include <utility>

namespace tandem::detail {

// None of these is ever run. They have bodies because clang warns of functions without that types of an unnamed namespace instantiate.

/// Becomes a base of T, and nothing else.
template <class T>
struct ToBase {
  template <class Base>
    requires(std::is_base_of_v<Base, T> && !std::is_same_v<Base, T>)
  operator Base() const {
    __builtin_unreachable();
  }
};
/// Becomes whatever a field of T is, but for T itself, which would be a copy. `place`: for packs.
template <class T, std::size_t place = 0>
struct ToField {
  template <class Field>
    requires(!std::is_same_v<Field, T>)
  operator Field() const {
    __builtin_unreachable();
  }
};
struct ToNothing {};

/// Does T begin with a base? Its initialiser comes before those of the fields, the first of which cannot be a base's.
template <class T>
constexpr bool begins_with_base() {
  if constexpr (requires { T{ToNothing()}; })
    return false;  // what comes first takes everything, as std::any does
  else
    return requires { T{ToBase<T>()}; } || requires { T{ToBase<T>(), ToField<T>()}; } ||
           requires { T{ToBase<T>(), ToField<T>(), ToField<T>()}; };
}

template <class T, std::size_t... before, std::size_t... after>
constexpr bool takes_braces(std::index_sequence<before...>, std::index_sequence<after...>) {
  return requires { T{ToField<T, before>()..., {}, ToField<T, after>()...}; };
}
template <class T, std::size_t... place>
constexpr bool takes_fields(std::index_sequence<place...>) {
  return requires { T{ToField<T, place>()...}; };
}

/// Is there a C array at `place`, of which `count` fields and elements are? Nothing but an array stands for several places, as
/// long as each has an initialiser of its own, and is done with by one pair of braces: then fewer are left than there were.
template <class T, std::size_t count, std::size_t place, std::size_t... fewer>
constexpr bool array_at(std::index_sequence<fewer...>) {
  constexpr std::make_index_sequence<place> kBefore;
  if constexpr (takes_braces<T>(kBefore, std::make_index_sequence<count - place - 1>()))
    return false;
  else
    return (takes_braces<T>(kBefore, std::make_index_sequence<fewer>()) || ...);
}
template <class T, std::size_t... place>
constexpr bool has_array_of_places(std::index_sequence<place...>) {
  constexpr std::size_t kCount = sizeof...(place);
  return (array_at<T, kCount, place>(std::make_index_sequence<kCount - place - 1>()) || ...);
}

/// Has T, of at most `count` initialisers without inner braces, a C array of two elements or more among its fields?
template <class T, std::size_t count>
constexpr bool has_array() {
  if constexpr (count < 2 || !takes_fields<T>(std::make_index_sequence<count>()))
    return false;
  else
    return has_array_of_places<T>(std::make_index_sequence<count>());
}

}  // namespace tandem::detail
