// A Local inside a managed object is no root.
// expect: void trace(tandem::Visitor&) const
#include <tandem/make.h>

struct Leaf {
  int value = 0;
};
struct Node {
#ifdef REPAIRED
  tandem::Member<Leaf> leaf;
  void trace(tandem::Visitor& visit) const { visit(leaf); }
#else
  tandem::Local<Leaf> leaf;
#endif
};

void f() { auto node = tandem::make<Node>(); }
