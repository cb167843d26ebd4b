// expect: use Member<U> in place of Local<U>
#include <tandem/map.h>

struct Node {
  int value = 0;
};
#ifdef REPAIRED
using Value = tandem::Member<Node>;
#else
using Value = tandem::Local<Node>;
#endif

void f() { tandem::make_map<int, Value>()->insert(1, nullptr); }
