// A String has its bytes behind it: it is an object, not a part of one.
// expect: Array elements are leaves, Member<U>
#include <tandem/array.h>
#include <tandem/string.h>

#ifdef REPAIRED
using Element = tandem::Member<tandem::String>;
#else
using Element = tandem::String;
#endif

void f() { auto strings = tandem::make_array<Element>(3); }
