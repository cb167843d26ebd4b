#pragma once
/// \file
/// Rooted<S>: a struct that holds Members, as a value on a goroutine's stack.
///
/// \code
///   struct Job {
///     tandem::Member<Document> document;
///     int priority = 0;
///     void trace(tandem::Visitor& visit) const { visit(document); }
///   };
///   tandem::Rooted<Job> job(document, 7);
///   tandem::Rooted<Job> urgent = job;   // a copy: changing it leaves `job` as it is
///   urgent->priority = 9;
/// \endcode
///
/// A Member on a stack would be no root: the collector finds Locals there, and nothing else. So a Rooted keeps its S in a
/// managed cell of its own, under a Local. That is one allocation for each Rooted that is built or copied, and none for
/// one that is moved. Where S is shared rather than copied, use make<S>() and Local<S>.

#include <concepts>
#include <type_traits>
#include <utility>

#include "tandem/local.h"
#include "tandem/make.h"
#include "tandem/visitor.h"

namespace tandem {

/// A value of type S: `S` is traced (see visitor.h), or a leaf. Lives where a Local may live. Thread behaviour: as S itself.
/// A moved-from Rooted is empty: it may be assigned, destroyed, copied (which gives an empty one) and asked for bool.
template <class S>
class Rooted {
  static_assert(detail::Managed<S>,
                "Rooted<S>: give S a `void trace(tandem::Visitor&) const` that visits each Member, or specialise "
                "tandem::is_leaf<S> as true");

 public:
  using element_type = S;

  /// Builds an S as make<S>() does: from constructor arguments, the fields of an aggregate, or an S to copy. A safepoint, as
  /// are the copies; on a goroutine only. Throws std::bad_alloc as make does, and what S's constructor throws.
  template <class... Arguments>
    requires(!(sizeof...(Arguments) == 1 && (std::is_same_v<std::remove_cvref_t<Arguments>, Rooted> && ...)) &&
             (std::is_constructible_v<S, Arguments...> ||
              requires(Arguments&&... arguments) { S{std::forward<Arguments>(arguments)...}; }))
  Rooted(Arguments&&... arguments) : root_(make<S>(std::forward<Arguments>(arguments)...)) {}

  Rooted(const Rooted& other) : root_(copy_of(other.root_)) {}
  Rooted(Rooted&& other) noexcept = default;
  Rooted& operator=(const Rooted& other) {
    if (this != &other) root_ = copy_of(other.root_);
    return *this;
  }
  Rooted& operator=(Rooted&& other) noexcept = default;
  ~Rooted() = default;

  S* operator->() const noexcept { return root_.operator->(); }
  S& operator*() const noexcept { return *root_; }
  explicit operator bool() const noexcept { return static_cast<bool>(root_); }

  friend bool operator==(const Rooted& a, const Rooted& b)
    requires std::equality_comparable<S>
  {
    return a && b ? *a == *b : !a && !b;
  }

 private:
  static Local<S> copy_of(const Local<S>& original) {
    return original ? make<S>(std::as_const(*original)) : Local<S>();
  }

  Local<S> root_;
};

}  // namespace tandem
