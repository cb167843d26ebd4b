// As an element of an array.
// expect: Array elements are leaves, Member<U>, or types with `void trace(tandem::Visitor&) const`
#include <tandem/array.h>

struct Leaf {
  int value = 0;
};
class Node {
 public:
#ifdef REPAIRED
  void trace(tandem::Visitor& visit) const { visit(leaf_); }
#endif

 private:
  tandem::Member<Leaf> leaf_;
};

void f() { auto nodes = tandem::make_array<Node>(3); }
