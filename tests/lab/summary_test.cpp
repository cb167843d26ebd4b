#include "lab/summary.h"

#include <gtest/gtest.h>

namespace lab {
namespace {

TEST(Summary, OfNothingHasNoCount) { EXPECT_EQ(summarise({}).count, 0u); }

TEST(Summary, OddNumberOfValues) {
  const Summary summary = summarise({5, 1, 3});
  EXPECT_EQ(summary.median, 3);
  EXPECT_EQ(summary.min, 1);
  EXPECT_EQ(summary.max, 5);
  EXPECT_EQ(summary.count, 3u);
}

TEST(Summary, EvenNumberOfValuesGivesTheMeanOfTheMiddleTwo) { EXPECT_EQ(summarise({4, 1, 2, 100}).median, 3); }

}  // namespace
}  // namespace lab
