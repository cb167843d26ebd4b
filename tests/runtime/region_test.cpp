// Which blocks of the heap have memory, and which an allocation gets (gc/region.h). A region of its own: nothing runs.
#include "gc/region.h"

#include <atomic>
#include <cstdint>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/base/os_memory.h"
#include "tests/support/scale.h"

namespace {

using tandem::gc::BlockIndex;
using tandem::gc::Region;

constexpr std::uint32_t kGroup = Region::kGroupBlocks;

class RegionTest : public testing::Test {
 protected:
  RegionTest() { region.reserve(std::size_t{1} << 30, false, 0); }
  ~RegionTest() override { region.release(); }

  bool resident(BlockIndex block) {
    return tandem::base::any_resident(region.address_of(block), tandem::gc::kBlockBytes);
  }
  /// One pass over all groups, as at the end of a cycle; `keep` blocks that stay free are to be ready.
  void trim(std::uint64_t keep) {
    region.begin_trim(UINT64_MAX, keep);
    while (region.trim_step()) {
    }
  }

  Region region;
};

TEST_F(RegionTest, GrowsByGroupsWhoseOtherBlocksAreTakenNext) {
  EXPECT_EQ(region.take(1), 0u);
  EXPECT_EQ(region.used(), kGroup);
  EXPECT_EQ(region.blocks_in_use(), 1u);
  EXPECT_EQ(region.ready_blocks(), kGroup - 1);
  for (BlockIndex block = 1; block < kGroup; ++block) EXPECT_EQ(region.take(1), block);
  EXPECT_EQ(region.take(1), kGroup);
  EXPECT_EQ(region.backed_blocks(), 2 * kGroup);
}

TEST_F(RegionTest, ALargeRunBeginsInTheFreeBlocksAtTheEnd) {
  EXPECT_EQ(region.take(8), 0u);
  EXPECT_EQ(region.take(kGroup), 8u);
  EXPECT_EQ(region.used(), 2 * kGroup);
}

TEST_F(RegionTest, WhatIsMadeReadyHasMemoryAndIsTakenNext) {
  EXPECT_EQ(region.take(kGroup), 0u);
  EXPECT_FALSE(resident(0));
  ASSERT_TRUE(region.make_ready());
  EXPECT_EQ(region.ready_blocks(), kGroup);
  EXPECT_EQ(region.blocks_in_use(), kGroup);
  for (BlockIndex block = kGroup; block < 2 * kGroup; ++block) {
    EXPECT_TRUE(resident(block));
    EXPECT_EQ(region.take(1), block);
  }
}

TEST_F(RegionTest, TrimsWhatIsFreeInTwoPassesButForWhatItIsToKeep) {
  const BlockIndex first = region.take(4 * kGroup);
  region.give(first, 4 * kGroup);
  trim(kGroup);
  EXPECT_EQ(region.backed_blocks(), 4 * kGroup);
  trim(kGroup);
  EXPECT_EQ(region.backed_blocks(), kGroup);
  EXPECT_EQ(region.ready_blocks(), kGroup);
  trim(0);
  EXPECT_EQ(region.backed_blocks(), 0u);
}

TEST_F(RegionTest, WhatWasGivenBackIsTakenLastAndMadeReadyFirst) {
  const BlockIndex low = region.take(kGroup);
  const BlockIndex high = region.take(kGroup);
  region.give(low, kGroup);
  trim(0);
  trim(0);
  region.give(high, kGroup);
  EXPECT_EQ(region.take(1), high);
  EXPECT_EQ(region.take(kGroup), low);  // rather than to grow
  EXPECT_EQ(region.used(), 2 * kGroup);
  region.give(low, kGroup);
  trim(0);
  trim(0);
  EXPECT_FALSE(resident(low));
  ASSERT_TRUE(region.make_ready());
  EXPECT_TRUE(resident(low));
  EXPECT_EQ(region.used(), 2 * kGroup);
}

TEST_F(RegionTest, ARunMayJoinReadyBlocksAndGivenBackOnes) {
  const BlockIndex first = region.take(2 * kGroup);
  region.give(first + kGroup, kGroup);
  trim(0);
  trim(0);
  region.give(first, kGroup);
  EXPECT_EQ(region.take(2 * kGroup), first);
  EXPECT_EQ(region.ready_blocks(), 0u);
  EXPECT_EQ(region.backed_blocks(), 2 * kGroup);
}

TEST_F(RegionTest, LargeRunsGiveBackWholeGroupsBeyondWhatIsRetained) {
  constexpr std::uint32_t kBlocks = 16 * kGroup;
  region.begin_trim(0, 0);  // 16 MiB are retained in any case: 8 groups
  EXPECT_EQ(region.take(1), 0u);
  const BlockIndex first = region.take(kBlocks);
  ASSERT_EQ(first, 1u);
  region.give(first, kBlocks);
  EXPECT_EQ(region.backed_blocks(),
            2 * kGroup);  // neither the group of block 0 nor the last, which goes on behind the run
  EXPECT_EQ(region.ready_blocks(), 2 * kGroup - 1);
  region.begin_trim(kBlocks * 2 * tandem::gc::kBlockBytes, 0);
  region.give(region.take(kBlocks), kBlocks);
  const std::uint64_t backed = region.backed_blocks();
  EXPECT_GE(backed, std::uint64_t{kBlocks});
  region.give(region.take(kBlocks), kBlocks);
  EXPECT_EQ(region.backed_blocks(), backed);
}

TEST_F(RegionTest, NeverGivesABlockToTwo) {
  std::vector<std::thread> threads;
  std::atomic<bool> stop{false};
  threads.emplace_back([&] {
    while (!stop) {
      if (region.ready_blocks() < 4 * kGroup) region.make_ready();
      trim(0);
      std::this_thread::yield();
    }
  });
  const int rounds = tandem::test::scaled(3000, 300);
  std::atomic<int> mutators{2};
  for (unsigned char number = 1; number <= 2; ++number)
    threads.emplace_back([&, number] {
      std::mt19937 random(number);
      std::vector<std::pair<BlockIndex, std::uint32_t>> mine;
      for (int round = 0; round < rounds; ++round) {
        const std::uint32_t blocks = random() % 8 == 0 ? kGroup + random() % kGroup : 1;
        const BlockIndex taken = region.take(blocks);
        ASSERT_NE(taken, Region::kNoBlock);
        for (BlockIndex block = taken; block < taken + blocks; ++block) *region.address_of(block) = std::byte{number};
        mine.emplace_back(taken, blocks);
        if (mine.size() < 64) continue;
        const std::size_t chosen = random() % mine.size();
        const auto [first, count] = mine[chosen];
        mine[chosen] = mine.back();
        mine.pop_back();
        for (BlockIndex block = first; block < first + count; ++block)
          ASSERT_EQ(*region.address_of(block), std::byte{number});
        region.give(first, count);
      }
      for (const auto& [first, count] : mine) region.give(first, count);
      --mutators;
    });
  while (mutators != 0) std::this_thread::yield();
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(region.blocks_in_use(), 0u);
  EXPECT_EQ(region.ready_blocks(), region.backed_blocks());
}

// Who takes a block while the last group below the limit is in another's hand waits for that one.
TEST_F(RegionTest, TakesNoMemoryBeyondTheLimitBesideWhoMakesReadyAndTrims) {
  constexpr std::uint32_t kLimit = 4 * kGroup;
  region.release();
  region.reserve(std::size_t{1} << 30, false, std::uint64_t{kLimit} * tandem::gc::kBlockBytes);
  const int passes_wanted = tandem::test::scaled(200, 20);
  std::atomic<int> passes{0};
  std::thread other([&] {
    for (; passes < passes_wanted; ++passes) {
      region.make_ready();
      trim(0);
    }
  });
  while (passes < passes_wanted) {
    for (std::uint32_t block = 0; block < kLimit; ++block) {
      EXPECT_NE(region.take(1), Region::kNoBlock);
      EXPECT_LE(region.backed_blocks(), kLimit);
    }
    for (BlockIndex block = 0; block < kLimit; ++block) region.give(block, 1);
  }
  other.join();
}

}  // namespace
