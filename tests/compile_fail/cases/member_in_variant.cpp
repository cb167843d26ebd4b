// A Member in a std::variant: where it lies depends on the contents, or is not in the managed heap at all.
// expect: this field may hold references
#include <variant>

#include <tandem/array.h>
#include <tandem/make.h>

struct Node {
#ifdef REPAIRED
  tandem::Member<Node> held;
#else
  std::variant<int, tandem::Member<Node>> held;
#endif
  void trace(tandem::Visitor& visit) const { visit(held); }
};

void f() { auto node = tandem::make<Node>(); }
