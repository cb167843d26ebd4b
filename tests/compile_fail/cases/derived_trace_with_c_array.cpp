// Nor into a C array.
// expect: no trace can be derived for a struct with a C array: make it a std::array
// errors: 1
#include <array>

#include <tandem/make.h>

struct Node {
  int number;
#ifdef REPAIRED
  std::array<tandem::Member<Node>, 3> next;
#else
  tandem::Member<Node> next[3];
#endif
};

void f() { auto node = tandem::make<Node>(); }
