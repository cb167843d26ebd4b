// Visiting a Local does not make it a Member.
// expect: this field may hold references
#include <tandem/make.h>

struct Leaf {
  int value = 0;
};
struct Node {
#ifdef REPAIRED
  tandem::Member<Leaf> leaf;
#else
  tandem::Local<Leaf> leaf;
#endif
  void trace(tandem::Visitor& visit) const { visit(leaf); }
};

void f() { auto node = tandem::make<Node>(); }
