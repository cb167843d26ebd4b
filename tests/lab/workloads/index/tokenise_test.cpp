#include "lab/workloads/index/tokenise.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lab::index {
namespace {

std::vector<std::string> terms_of(std::string_view text) {
  std::vector<std::string> terms;
  tokenise(text, [&](std::string_view term) { terms.emplace_back(term); });
  return terms;
}

using Terms = std::vector<std::string>;

TEST(Tokenise, MaximalRunsOfAtLeastTwoBytes) {
  EXPECT_EQ(terms_of("int main(int argc, char **argv) { return x_1 + a; }"),
            (Terms{"int", "main", "int", "argc", "char", "argv", "return", "x_1"}));
}

TEST(Tokenise, CaseCounts) { EXPECT_EQ(terms_of("Foo foo FOO"), (Terms{"Foo", "foo", "FOO"})); }

TEST(Tokenise, Edges) {
  EXPECT_EQ(terms_of(""), Terms{});
  EXPECT_EQ(terms_of("a"), Terms{});
  EXPECT_EQ(terms_of("ab"), Terms{"ab"});
  EXPECT_EQ(terms_of(" ab"), Terms{"ab"});
  EXPECT_EQ(terms_of("ab "), Terms{"ab"});
  EXPECT_EQ(terms_of("--- "), Terms{});
}

TEST(Tokenise, BytesBeyondAsciiAndNulSeparate) {
  EXPECT_EQ(terms_of("na\xC3\xAFve"), (Terms{"na", "ve"}));  // UTF-8
  EXPECT_EQ(terms_of("gr\xF6\xDF"
                     "er"),
            (Terms{"gr", "er"}));  // Latin-1
  EXPECT_EQ(terms_of(std::string_view("ab\0cd", 5)), (Terms{"ab", "cd"}));
}

TEST(Tokenise, TermsPointIntoTheText) {
  const std::string text = "xx yyy";
  tokenise(text, [&](std::string_view term) {
    EXPECT_GE(term.data(), text.data());
    EXPECT_LE(term.data() + term.size(), text.data() + text.size());
  });
}

}  // namespace
}  // namespace lab::index
