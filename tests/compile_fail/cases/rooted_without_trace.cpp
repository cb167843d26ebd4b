// expect: Rooted<S>: give S a `void trace(tandem::Visitor&) const`
#include <tandem/rooted.h>

struct Node {
  int value = 0;
};
class Pair {
 public:
#ifdef REPAIRED
  void trace(tandem::Visitor& visit) const {
    visit(a_);
    visit(b_);
  }
#endif

 private:
  tandem::Member<Node> a_;
  tandem::Member<Node> b_;
};

void f() { tandem::Rooted<Pair> pair; }
