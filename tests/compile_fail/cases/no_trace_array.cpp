// As an element of an array.
// expect: Array elements are leaves, Member<U>, or types with `void trace(tandem::Visitor&) const`
#include <tandem/array.h>

struct Leaf {
  int value = 0;
};
struct Node {
  tandem::Member<Leaf> leaf;
#ifdef REPAIRED
  void trace(tandem::Visitor& visit) const { visit(leaf); }
#endif
};

void f() { auto nodes = tandem::make_array<Node>(3); }
