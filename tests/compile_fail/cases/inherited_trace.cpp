// The trace of a base does not see the fields of the derived type.
// expect: one that a base declares does not count
#include <tandem/make.h>

struct Base {
  tandem::Member<Base> next;
  void trace(tandem::Visitor& visit) const { visit(next); }
};
struct Derived : Base {
  tandem::Member<Base> other;
#ifdef REPAIRED
  void trace(tandem::Visitor& visit) const {
    Base::trace(visit);
    visit(other);
  }
#endif
};

void f() { auto derived = tandem::make<Derived>(); }
