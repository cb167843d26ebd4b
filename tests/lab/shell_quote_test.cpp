#include "lab/shell_quote.h"

#include <gtest/gtest.h>

namespace lab {
namespace {

TEST(ShellQuote, OnlyWhereNeeded) {
  EXPECT_EQ(shell_quote("--stop=ragged,stop_the_world"), "--stop=ragged,stop_the_world");
  EXPECT_EQ(shell_quote("*.h"), "'*.h'");
  EXPECT_EQ(shell_quote(""), "''");
  EXPECT_EQ(shell_quote("it's"), "'it'\\''s'");
}

}  // namespace
}  // namespace lab
