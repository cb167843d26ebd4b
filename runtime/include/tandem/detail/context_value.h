#pragma once
// How a Context keeps the value that with_value gave it.

#include <type_traits>
#include <utility>

#include "tandem/detail/rooted_form.h"
#include "tandem/local.h"
#include "tandem/member.h"
#include "tandem/visitor.h"

namespace tandem {

/// Names a value of type V in contexts (V as for a channel's element; Local<U> serves as Member<U> does).
/// Keys are compared by address: declare them as globals.
/// \code const tandem::ContextKey<std::string> user_key; \endcode
template <class V>
class ContextKey {
 public:
  constexpr ContextKey() noexcept = default;
  ContextKey(const ContextKey&) = delete;
  ContextKey& operator=(const ContextKey&) = delete;

 private:
  char address_ = 0;  // two keys never share one
};

namespace detail {

template <class V>
struct ContextElementOf {
  using Type = V;
};
template <class U>
struct ContextElementOf<Local<U>> {
  using Type = Member<U>;
};
template <class V>
using ContextElement = typename ContextElementOf<V>::Type;
template <class V>
using ContextForm = RootedForm<ContextElement<V>>;

struct ContextBoxBase {};

template <class V>
struct ContextBox : ContextBoxBase {
  template <class Value>
  explicit ContextBox(Value&& given) : value(std::forward<Value>(given)) {}
  void trace(Visitor& visit) const { visit(value); }

  ContextElement<V> value;
};

}  // namespace detail
}  // namespace tandem
