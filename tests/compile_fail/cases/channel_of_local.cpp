// expect: Member<U>
// expect: Local<U>
// errors: 1
#include <tandem/channel.h>

struct Node {
  int value = 0;
};
#ifdef REPAIRED
using Element = tandem::Member<Node>;
#else
using Element = tandem::Local<Node>;
#endif

void f() { auto channel = tandem::make_channel<Element>(); }
