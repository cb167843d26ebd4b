#pragma once
// Which of the standard library's types are leaves. They are recognised by what they are made of, so that no header is read for
// those that a program does not use: only what may hold a T in itself has to be told apart, and that is named by T.

#include <string_view>
#include <type_traits>

namespace tandem {

template <class T>
struct is_leaf;

namespace detail {

/// The name of T, and perhaps more behind it. No std::string_view in the signature: it would be printed there.
template <class T>
constexpr auto type_name() {
  constexpr std::string_view kMark = "T = ";  // "... [with T = std::any]", "... [T = std::any]"
  const std::string_view text = __PRETTY_FUNCTION__;
  return text.substr(text.find(kMark) + kMark.size());
}

/// What is derived from such a type has its nested types too, but not its name: `struct Mine : std::list<int> { Member<Mine> next; }`.
template <class T>
inline constexpr bool kNamedInStd = type_name<T>().substr(0, 5) == "std::";

/// An argument of a template of std. Of a function type, as std::function has it, and of void nothing is held.
template <class T>
struct HoldsNoReference : is_leaf<std::remove_reference_t<T>> {};
template <class T>
  requires(std::is_void_v<T> || std::is_function_v<T>)
struct HoldsNoReference<T> : std::true_type {};

/// True without any, but not where there are others than types.
template <class T>
struct ArgumentsHoldNoReference
    : std::bool_constant<type_name<T>().substr(0, type_name<T>().find_first_of(";]")).find('<') ==
                         std::string_view::npos> {};
template <template <class...> class Template, class... Arguments>
struct ArgumentsHoldNoReference<Template<Arguments...>> : std::conjunction<HoldsNoReference<Arguments>...> {};

template <class T>
constexpr bool standard_class_is_leaf() {
  if constexpr (requires { typename T::container_type; })
    return is_leaf<typename T::container_type>::value;  // std::queue, std::stack
  else if constexpr (requires { typename T::allocator_type; })
    return is_leaf<typename T::value_type>::value;  // std::list, std::multimap: whatever they compare by
  else
    return ArgumentsHoldNoReference<T>::value;  // std::any, std::future, std::expected
}

/// False for every type that is not the standard library's.
template <class T>
struct IsStandardLeaf : std::false_type {};
template <class T>
  requires(std::is_class_v<T> && kNamedInStd<T>)
struct IsStandardLeaf<T> : std::bool_constant<standard_class_is_leaf<T>()> {};

}  // namespace detail
}  // namespace tandem
