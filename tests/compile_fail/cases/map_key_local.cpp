// expect: Member<String> (for strings, also instead of std::string and Local<String>)
#include <tandem/map.h>

#ifdef REPAIRED
using Key = tandem::Member<tandem::String>;
#else
using Key = tandem::Local<tandem::String>;
#endif

void f() { auto map = tandem::make_map<Key, int>(); }
