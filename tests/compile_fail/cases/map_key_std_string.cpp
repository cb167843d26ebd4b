// expect: K is an integer, an enum, Member<String>
#include <string>

#include <tandem/map.h>

#ifdef REPAIRED
using Key = tandem::Member<tandem::String>;
#else
using Key = std::string;
#endif

void f() { tandem::make_map<Key, int>()->insert("key", 1); }
