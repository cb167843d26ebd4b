#include "runtime/base/bits.h"

#include <gtest/gtest.h>

#include "runtime/base/random.h"

namespace tandem::base {
namespace {

TEST(Bits, RoundsToMultiplesOfAPowerOfTwo) {
  EXPECT_EQ(round_up(0u, 8u), 0u);
  EXPECT_EQ(round_up(1u, 8u), 8u);
  EXPECT_EQ(round_up(8u, 8u), 8u);
  EXPECT_EQ(round_down(15u, 8u), 8u);
  EXPECT_EQ(round_up(std::size_t{1} << 40 | 1, 4096), (std::size_t{1} << 40) + 4096);
  alignas(64) std::byte bytes[128];
  EXPECT_EQ(round_up(bytes + 1, 64), bytes + 64);
  EXPECT_EQ(round_down(bytes + 65, 64), bytes + 64);
  EXPECT_TRUE(is_aligned(bytes, 64));
  EXPECT_FALSE(is_aligned(bytes + 8, 64));
}

TEST(Bits, TakesLogarithmsAndQuotients) {
  EXPECT_TRUE(is_power_of_two(64u));
  EXPECT_FALSE(is_power_of_two(0u));
  EXPECT_FALSE(is_power_of_two(65u));
  EXPECT_EQ(log2_floor(1u), 0u);
  EXPECT_EQ(log2_floor(65u), 6u);
  EXPECT_EQ(log2_ceil(1u), 0u);
  EXPECT_EQ(log2_ceil(64u), 6u);
  EXPECT_EQ(log2_ceil(65u), 7u);
  EXPECT_EQ(divide_round_up(0u, 7u), 0u);
  EXPECT_EQ(divide_round_up(8u, 7u), 2u);
}

TEST(Random, RepeatsForTheSameSeedAndDiffersForNeighbours) {
  Random first(5), again(5), neighbour(6);
  int equal = 0;
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t value = first.next();
    EXPECT_EQ(value, again.next());
    equal += value == neighbour.next();
  }
  EXPECT_EQ(equal, 0);
}

TEST(Random, IsUniformBelowABound) {
  Random random(1);
  constexpr int kDraws = 60'000;
  int counts[6] = {};
  for (int i = 0; i < kDraws; ++i) ++counts[random.below(6)];
  for (const int count : counts) EXPECT_NEAR(count, kDraws / 6, 500);  // more than five standard deviations
}

}  // namespace
}  // namespace tandem::base
