// A type that may hold a Member and does not say so.
// expect: void trace(tandem::Visitor&) const
// expect: tandem::is_leaf<T>
#include <tandem/make.h>

class Node {
 public:
  explicit Node(int value) : value_(value) {}
#ifdef REPAIRED
  void trace(tandem::Visitor& visit) const { visit(next_); }
#endif

 private:
  tandem::Member<Node> next_;
  int value_;
};

void f() { auto node = tandem::make<Node>(1); }
