// PFR cannot look into a base: the message says what to add, and comes alone.
// expect: no trace can be derived for a struct with a base
// expect: `void trace(tandem::Visitor& visit) const` that visits each Member
// errors: 1
#include <tandem/make.h>

struct Base {
  int number;
};
struct Node : Base {
  tandem::Member<Node> next;
#ifdef REPAIRED
  void trace(tandem::Visitor& visit) const { visit(next); }
#endif
};

void f() { auto node = tandem::make<Node>(); }
