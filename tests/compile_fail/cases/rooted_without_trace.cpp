// expect: Rooted<S>: give S a `void trace(tandem::Visitor&) const`
#include <tandem/rooted.h>

struct Node {
  int value = 0;
};
struct Pair {
  tandem::Member<Node> a;
  tandem::Member<Node> b;
#ifdef REPAIRED
  void trace(tandem::Visitor& visit) const {
    visit(a);
    visit(b);
  }
#endif
};

void f() { tandem::Rooted<Pair> pair; }
