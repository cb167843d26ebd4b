#include "examples/kv/glob.h"

#include <gtest/gtest.h>

#include <string>

namespace kv {
namespace {

TEST(Glob, MatchesAllOfTheText) {
  for (const auto& [pattern, text] : std::initializer_list<std::pair<const char*, const char*>>{{"", ""},
                                                                                                {"*", ""},
                                                                                                {"*", "abc"},
                                                                                                {"a*c", "abbc"},
                                                                                                {"a*b*c", "aXbXbc"},
                                                                                                {"?bc", "abc"},
                                                                                                {"[a-c]x", "bx"},
                                                                                                {"[c-a]x", "bx"},
                                                                                                {"[^a-c]x", "dx"},
                                                                                                {"[abc", "b"},
                                                                                                {"\\*", "*"},
                                                                                                {"[\\]]", "]"},
                                                                                                {"[a-]", "-"},
                                                                                                {"*\\?", "ab?"},
                                                                                                {"**a**", "bab"}})
    EXPECT_TRUE(matches_glob(pattern, text)) << pattern << " " << text;
  for (const auto& [pattern, text] : std::initializer_list<std::pair<const char*, const char*>>{{"", "a"},
                                                                                                {"a", ""},
                                                                                                {"a", "ab"},
                                                                                                {"ab", "a"},
                                                                                                {"a*c", "abcd"},
                                                                                                {"?", ""},
                                                                                                {"[a-c]", "d"},
                                                                                                {"[^a-c]", "b"},
                                                                                                {"\\*", "a"},
                                                                                                {"[]", "a"},
                                                                                                {"*a", "ab"}})
    EXPECT_FALSE(matches_glob(pattern, text)) << pattern << " " << text;
}

// With a recursion for each star this would take for ever.
TEST(Glob, ManyStarsTakeNoExponentialTime) {
  std::string pattern;
  for (int i = 0; i < 1000; ++i) pattern += "*a";
  EXPECT_FALSE(matches_glob(pattern + "b", std::string(5000, 'a')));
}

}  // namespace
}  // namespace kv
