// A type of which nobody can know what it holds is no leaf until its author says so.
// expect: specialise tandem::is_leaf<T> as true
#include <functional>

#include <tandem/make.h>

class Opaque {
 public:
  Opaque() = default;
  Opaque(const Opaque& other) : call_(other.call_) {}

 private:
  std::function<void()> call_;
};
#ifdef REPAIRED
template <>
struct tandem::is_leaf<Opaque> : std::true_type {};
#endif

void f() { auto opaque = tandem::make<Opaque>(); }
