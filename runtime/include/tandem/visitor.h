#pragma once
/// \file
/// Which references an object holds: the trace() protocol and the leaf trait.
///
/// A type that holds Members says so by a member function that visits each of them:
/// \code
///   void trace(tandem::Visitor& visit) const { visit(left); visit(right); }
/// \endcode
/// It is run once per type, on zeroed memory, to learn the offsets; so it must not depend on the object's contents.
///
/// An aggregate need not say so: where the headers of Boost.PFR (Boost 1.75 or later) are found, its fields are visited one
/// after the other. Not where it has bases, C arrays, bit-fields or references, which PFR cannot look into (a message says so for the first two); g++ 12 cannot
/// compile it where a field is a std::array of structs that are not trivial. Then it declares its trace like any other.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#if __has_include(<boost/pfr/core.hpp>)
#include <boost/pfr/core.hpp>
#endif

#include "tandem/detail/aggregate_probe.h"
#include "tandem/detail/standard_type.h"
#include "tandem/member.h"

namespace tandem {

class Visitor;

/// True for types that hold no reference to a managed object: trivially copyable ones, the standard library's (of leaves, where
/// they have elements), this library's own that synchronise or are open sockets. Specialise it as true for your own leaf types
/// that are not trivially copyable. std::function, std::any, std::future and std::exception_ptr are leaves: what they hold is on the
/// unmanaged heap, where references are Persistents.
template <class T>
struct is_leaf : std::disjunction<std::is_trivially_copyable<T>, detail::IsStandardLeaf<T>> {};

template <class T>
struct is_leaf<const T> : is_leaf<T> {};
template <class T>
struct is_leaf<Local<T>> : std::false_type {};
template <class T>
struct is_leaf<Member<T>> : std::false_type {};
template <class T>
struct is_leaf<Persistent<T>> : std::true_type {};  // a root of its own
template <class C, class Tr, class A>
struct is_leaf<std::basic_string<C, Tr, A>> : std::true_type {};
template <class T>
struct is_leaf<std::atomic<T>> : is_leaf<T> {};
template <class T>
struct is_leaf<std::optional<T>> : is_leaf<T> {};
template <class T, std::size_t n>
struct is_leaf<std::array<T, n>> : is_leaf<T> {};
template <class A, class B>
struct is_leaf<std::pair<A, B>> : std::conjunction<is_leaf<A>, is_leaf<B>> {};
template <class... T>
struct is_leaf<std::tuple<T...>> : std::conjunction<is_leaf<T>...> {};
template <class... T>
struct is_leaf<std::variant<T...>> : std::conjunction<is_leaf<T>...> {};
template <class T, class A>
struct is_leaf<std::vector<T, A>> : is_leaf<T> {};
template <class T, class A>
struct is_leaf<std::deque<T, A>> : is_leaf<T> {};
template <class T, class D>
struct is_leaf<std::unique_ptr<T, D>> : std::true_type {};
template <class T>
struct is_leaf<std::shared_ptr<T>> : std::true_type {};
template <class T>
struct is_leaf<std::weak_ptr<T>> : std::true_type {};
template <class K, class V, class C, class A>
struct is_leaf<std::map<K, V, C, A>> : std::conjunction<is_leaf<K>, is_leaf<V>> {};
template <class K, class C, class A>
struct is_leaf<std::set<K, C, A>> : is_leaf<K> {};
template <class K, class V, class H, class E, class A>
struct is_leaf<std::unordered_map<K, V, H, E, A>> : std::conjunction<is_leaf<K>, is_leaf<V>> {};
template <class K, class H, class E, class A>
struct is_leaf<std::unordered_set<K, H, E, A>> : is_leaf<K> {};

namespace detail {

template <class C>
C class_of(void (C::*)(Visitor&) const);

/// Has T a trace of its own? One inherited from a base does not count: it would miss T's fields.
template <class T>
concept DeclaresTrace = requires(const T& object, Visitor& visit) {
  object.trace(visit);
} && (!requires { class_of(&T::trace); } || requires { requires std::is_same_v<decltype(class_of(&T::trace)), T>; });

template <class T>
struct IsMember : std::false_type {};
template <class T>
struct IsMember<Member<T>> : std::true_type {};
template <class T>
struct IsStdArray : std::false_type {};
template <class T, std::size_t n>
struct IsStdArray<std::array<T, n>> : std::true_type {};

/// Is T an aggregate whose trace is derived from its fields? One that inherits a trace has to declare its own.
#if __has_include(<boost/pfr/core.hpp>)
template <class T>
concept DerivesTrace = std::is_class_v<T> && std::is_aggregate_v<T> && !is_leaf<T>::value && !IsStdArray<T>::value &&
                       !requires(const T& object, Visitor& visit) { object.trace(visit); };

template <class T>
constexpr bool has_array_field() {
  if constexpr (begins_with_base<T>())
    return false;  // PFR cannot count its fields
  else
    return has_array<T, boost::pfr::tuple_size_v<T>>();
}

/// Says what to add where PFR would say only that it cannot. Not of a bit-field ("cannot bind bit-field") or a reference among T's
/// fields: if PFR's errors led you here, T has one of those, and needs a `void trace(tandem::Visitor& visit) const` of its own too.
template <class T, class Visit>
void visit_fields(const T& object, Visit visit) {
  static_assert(
      !begins_with_base<T>(),
      "no trace can be derived for a struct with a base: give it its own `void trace(tandem::Visitor& visit) const` "
      "that visits each Member, and calls the base's trace if that has one");
  static_assert(!has_array_field<T>(),
                "no trace can be derived for a struct with a C array: make it a std::array, or give the struct "
                "`void trace(tandem::Visitor& visit) const` that visits each Member");
  if constexpr (!begins_with_base<T>() && !has_array_field<T>()) boost::pfr::for_each_field(object, visit);
}
#else
template <class T>
concept DerivesTrace = false;
template <class T, class Visit>
void visit_fields(const T& object, Visit visit) = delete;
#endif

/// A struct that may hold Members, and in which they are found.
template <class T>
concept Traced = DeclaresTrace<T> || DerivesTrace<T>;

template <class T>
inline constexpr bool kManaged = Traced<T> || IsMember<T>::value || is_leaf<T>::value;
template <class T, std::size_t n>
inline constexpr bool kManaged<std::array<T, n>> = kManaged<T>;

/// What may be a managed object or a part of one.
template <class T>
concept Managed = kManaged<T>;

template <class T>
inline constexpr bool kIsLeaf = is_leaf<T>::value && !DeclaresTrace<T>;

}  // namespace detail

/// Given to trace(): records where in the object the references lie.
class Visitor {
 public:
  template <class T>
  void operator()(const Member<T>& member) {
    record(&member);
  }
  template <class T>
    requires(!detail::IsMember<T>::value)
  void operator()(const T& part) {
    if constexpr (detail::DeclaresTrace<T>)
      part.trace(*this);
    else if constexpr (detail::DerivesTrace<T>)
      detail::visit_fields(part, [this](const auto& field) { (*this)(field); });
    else if constexpr (detail::IsStdArray<T>::value)
      for (const auto& element : part) (*this)(element);
    else
      static_assert(is_leaf<T>::value,
                    "this field may hold references: give its type `void trace(tandem::Visitor&) const`, or "
                    "specialise tandem::is_leaf for it as true");
  }

  // -- For the library.
  explicit Visitor(const void* object) : object_(static_cast<const std::byte*>(object)) {}
  const std::vector<std::uint32_t>& offsets() const { return offsets_; }

 private:
  void record(const void* member) {
    offsets_.push_back(static_cast<std::uint32_t>(static_cast<const std::byte*>(member) - object_));
  }

  const std::byte* object_;
  std::vector<std::uint32_t> offsets_;
};

}  // namespace tandem
