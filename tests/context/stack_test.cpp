#include "runtime/context/stack.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <gtest/gtest.h>
#include <memory>
#include <set>
#include <string>
#include <sys/mman.h>
#include <thread>
#include <vector>

#include "runtime/base/bits.h"
#include "runtime/base/os_memory.h"
#include "runtime/base/random.h"
#include "runtime/context/stack_pages.h"

namespace tandem::context {
namespace {

constexpr std::size_t kKiB = 1 << 10, kMiB = 1 << 20, kGiB = 1 << 30;

std::size_t mappings() {
  std::ifstream file("/proc/self/maps");
  return static_cast<std::size_t>(std::count(std::istreambuf_iterator<char>(file), {}, '\n'));
}

std::size_t resident_bytes(const Stack& stack) {
  const std::size_t page = base::page_bytes();
  std::byte* low = base::round_up(stack.low, page);
  const auto bytes = static_cast<std::size_t>(base::round_up(stack.high, page) - low);
  std::vector<unsigned char> pages(bytes / page);
  EXPECT_EQ(mincore(low, bytes, pages.data()), 0);
  return page *
         static_cast<std::size_t>(std::count_if(pages.begin(), pages.end(), [](unsigned char p) { return p & 1; }));
}

void use_all(const Stack& stack) { std::memset(stack.low, 0x5a, stack.usable_bytes()); }

class StackArenaTest : public testing::Test {
 protected:
  // 1/16 of the default: TSan keeps shadow for what is mapped.
  void open(std::size_t bytes = 64 * kGiB) { ASSERT_TRUE(arena.open({.reservation_bytes = bytes})); }
  detail::StackMap map;
  StackArena arena{map};
};

TEST_F(StackArenaTest, GivesAlignedSlotsOfTheRightClass) {
  open();
  for (const std::size_t wanted : {std::size_t{1}, 64 * kKiB, 64 * kKiB + 1, 256 * kKiB, 300 * kKiB, 8 * kMiB, kGiB}) {
    const Stack stack = arena.allocate(wanted);
    ASSERT_TRUE(stack) << wanted;
    EXPECT_GE(stack.slot_bytes(), wanted);
    EXPECT_TRUE(wanted <= 64 * kKiB || stack.slot_bytes() < 2 * wanted);
    EXPECT_GE(stack.usable_bytes(), stack.slot_bytes() * 7 / 8);
    EXPECT_TRUE(base::is_aligned(stack.high, base::kCacheLineBytes));
    std::byte* slot = base::round_down(stack.low, stack.slot_bytes());
    EXPECT_LE(stack.high, slot + stack.slot_bytes());
    stack.high[-1] = stack.low[0] = std::byte{1};  // both ends are accessible
    arena.free(stack);
  }
  EXPECT_FALSE(arena.allocate(kGiB + 1));
}

TEST_F(StackArenaTest, SlotsAreDistinctAndTopsAreColoured) {
  open();
  std::vector<Stack> stacks(500);
  std::set<std::byte*> lows;
  std::set<std::uintptr_t> colours;
  for (Stack& stack : stacks) {
    stack = arena.allocate(256 * kKiB);
    ASSERT_TRUE(stack);
    lows.insert(stack.low);
    colours.insert(reinterpret_cast<std::uintptr_t>(stack.high) % 4096);
  }
  EXPECT_EQ(lows.size(), stacks.size());
  EXPECT_EQ(colours.size(), 8u);
}

TEST_F(StackArenaTest, FindsTheOwnerFromAnyAddress) {
  open();
  detail::GoroutineWords first, second;
  const Stack a = arena.allocate(256 * kKiB), b = arena.allocate(kMiB);
  arena.set_owner(a, &first);
  arena.set_owner(b, &second);
  for (std::byte* address : {a.low, a.low + a.usable_bytes() / 2, a.high - 1})
    EXPECT_EQ(arena.owner_of(address), &first);
  for (std::byte* address : {b.low, b.low + b.usable_bytes() / 3, b.high - 1})
    EXPECT_EQ(arena.owner_of(address), &second);
  // What inline code computes.
  EXPECT_EQ(map.owner_by_granule[(reinterpret_cast<std::uintptr_t>(b.high - 1) - map.base) >> 16].load(), &second);
  int local;
  EXPECT_EQ(arena.owner_of(&local), nullptr);
  arena.free(a);
  EXPECT_EQ(arena.owner_of(a.low), nullptr);
}

TEST_F(StackArenaTest, KnowsGuardsFromStacks) {
  open();
  const Stack stack = arena.allocate(256 * kKiB);
  std::byte* slot = base::round_down(stack.low, stack.slot_bytes());
  EXPECT_TRUE(arena.is_guard_hit(stack.low - 1));
  EXPECT_TRUE(arena.is_guard_hit(slot));
  EXPECT_FALSE(arena.is_guard_hit(stack.low));
  EXPECT_FALSE(arena.is_guard_hit(stack.high - 1));
  EXPECT_FALSE(arena.is_guard_hit(nullptr));
  EXPECT_FALSE(arena.is_guard_hit(reinterpret_cast<std::byte*>(map.base) + 16 * kGiB));  // never carved
  const Stack found = arena.stack_containing(stack.low - 1);
  EXPECT_EQ(found.low, stack.low);
  EXPECT_EQ(found.high, stack.high);
  EXPECT_EQ(found.size_class, stack.size_class);
}

TEST_F(StackArenaTest, ReusesWarmStacksAndGivesDeepPagesBack) {
  open();
  const Stack stack = arena.allocate(256 * kKiB);
  EXPECT_EQ(resident_bytes(stack), 0u);
  use_all(stack);
  EXPECT_GT(resident_bytes(stack), 200 * kKiB);
  arena.free(stack);
  EXPECT_LE(resident_bytes(stack), 24 * kKiB);
  EXPECT_GE(resident_bytes(stack), 8 * kKiB);
  const Stack again = arena.allocate(256 * kKiB);
  EXPECT_EQ(again.low, stack.low);
  EXPECT_TRUE(arena.is_guard_hit(stack.low - 1));
}

TEST_F(StackArenaTest, ReleasesWhatLiesBelowTheStackPointerOnly) {
  open();
  const Stack stack = arena.allocate(256 * kKiB);
  use_all(stack);
  std::byte* sp = stack.high - 40 * kKiB;
  arena.release_deep(stack, sp);
  EXPECT_TRUE(std::all_of(sp - 128, stack.high, [](std::byte b) { return b == std::byte{0x5a}; }));
  EXPECT_LE(resident_bytes(stack), 56 * kKiB);
  arena.release_deep(stack, stack.low);  // nothing below: no harm
  arena.release_deep(stack, stack.high);
  EXPECT_LE(resident_bytes(stack), 24 * kKiB) << "the warm top stays";
  EXPECT_GE(resident_bytes(stack), 12 * kKiB);
  arena.release_deep(stack, &arena);  // not of this stack
}

// Owner tables, free lists and stacks under contention: each stack is marked by its holder and must stay so.
TEST_F(StackArenaTest, GivesNoStackTwiceUnderThreads) {
  open();
  std::vector<std::thread> threads;
  std::atomic<int> mixups{0};
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      base::Random random(static_cast<std::uint64_t>(thread));
      StackCache cache(arena);
      std::vector<std::pair<Stack, std::uint64_t>> held;
      for (int turn = 0; turn < 20'000; ++turn) {
        if (held.size() < 200 && random.below(2) == 0) {
          const Stack stack = cache.allocate(random.below(20) == 0 ? 512 * kKiB : 256 * kKiB);
          const std::uint64_t mark = random.next();
          std::memcpy(stack.high - 64, &mark, 8);
          held.emplace_back(stack, mark);
        } else if (!held.empty()) {
          const auto [stack, mark] = held.back();
          held.pop_back();
          if (std::memcmp(stack.high - 64, &mark, 8) != 0) ++mixups;
          cache.free(stack);
        }
      }
      for (auto& [stack, mark] : held) cache.free(stack);
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(mixups, 0);
}

TEST_F(StackArenaTest, HundredThousandGuardedStacksFitTheMappingLimit) {
  open();
  const std::size_t before = mappings();
  constexpr std::size_t kStacks = 100'000;
  std::vector<Stack> stacks;
  for (std::size_t i = 0; i < kStacks; ++i) {
    stacks.push_back(arena.allocate(256 * kKiB));
    ASSERT_TRUE(stacks.back()) << i;
    stacks.back().high[-8] = std::byte{1};
  }
  if (guard_markers_work()) {
    EXPECT_LT(mappings(), before + 100);
    for (const Stack& stack : stacks) ASSERT_EQ(arena.guard_kind(stack), GuardKind::marker);
  } else {
    EXPECT_LT(mappings(), before + 2 * 8192 + 100);
  }
  EXPECT_EQ(arena.statistics().slots_carved, kStacks);
  for (const Stack& stack : stacks) arena.free(stack);
  EXPECT_EQ(arena.statistics().slots_carved, kStacks);
}

TEST_F(StackArenaTest, CacheReusesTheWarmestAndTrims) {
  open();
  StackCache cache(arena);
  const Stack first = cache.allocate(256 * kKiB);
  use_all(first);
  cache.free(first);
  const Stack again = cache.allocate(256 * kKiB);
  EXPECT_EQ(again.low, first.low);
  cache.free(again);
  cache.trim();
  EXPECT_LE(resident_bytes(first), 24 * kKiB);
  std::vector<Stack> many;
  for (int i = 0; i < 300; ++i) many.push_back(cache.allocate(256 * kKiB));
  const std::uint64_t carved = arena.statistics().slots_carved;
  for (const Stack& stack : many) cache.free(stack);
  for (Stack& stack : many) stack = cache.allocate(256 * kKiB);
  EXPECT_LE(arena.statistics().slots_carved, carved + 32);
  for (const Stack& stack : many) cache.free(stack);
}

TEST_F(StackArenaTest, RunsOutOfAddressSpaceWithANullStackAndRecovers) {
  open(16 * kMiB);
  std::vector<Stack> stacks;
  for (Stack stack; (stack = arena.allocate(256 * kKiB)); stacks.push_back(stack)) ASSERT_LE(stacks.size(), 64u);
  EXPECT_EQ(stacks.size(), 64u);
  EXPECT_FALSE(arena.allocate(kMiB));
  StackCache cache(arena);
  EXPECT_FALSE(cache.allocate(256 * kKiB));
  arena.free(stacks.back());
  EXPECT_TRUE(arena.allocate(256 * kKiB));
}

TEST_F(StackArenaTest, LargeAndSmallSlotsDoNotMeet) {
  open(4 * kGiB);
  std::vector<Stack> stacks;
  for (int i = 0; i < 200; ++i) {
    const Stack stack = arena.allocate(i % 2 == 0 ? 256 * kKiB : 32 * kMiB);
    if (!stack) break;
    stacks.push_back(stack);
  }
  EXPECT_GT(stacks.size(), 150u);
  std::sort(stacks.begin(), stacks.end(), [](auto& a, auto& b) { return a.low < b.low; });
  for (std::size_t i = 1; i < stacks.size(); ++i) EXPECT_LE(stacks[i - 1].high, stacks[i].low);
}

TEST_F(StackArenaTest, OpensAgainAfterClose) {
  open();
  ASSERT_TRUE(arena.allocate(256 * kKiB));
  arena.close();
  EXPECT_EQ(map.bytes, 0u);
  open();
  EXPECT_TRUE(arena.allocate(256 * kKiB));
}

// As on a kernel without guard markers.
TEST_F(StackArenaTest, FallsBackToMappingsThenCanaries) {
  ASSERT_TRUE(arena.open({.reservation_bytes = kGiB, .guard_mappings_max = 2, .allow_guard_markers = false}));
  const Stack first = arena.allocate(256 * kKiB), second = arena.allocate(256 * kKiB);
  const Stack third = arena.allocate(256 * kKiB);
  EXPECT_EQ(arena.guard_kind(first), GuardKind::mapping);
  EXPECT_EQ(arena.guard_kind(second), GuardKind::mapping);
  EXPECT_EQ(arena.guard_kind(third), GuardKind::canary);
  use_all(third);
  arena.check_canary(third);
  arena.free(third);
  EXPECT_EQ(arena.allocate(256 * kKiB).low, third.low);
  arena.check_canary(third);  // giving deep pages back kept it
}

TEST_F(StackArenaTest, CanaryDeathTest) {
  ASSERT_TRUE(arena.open({.reservation_bytes = kGiB, .guard_mappings_max = 0, .allow_guard_markers = false}));
  const Stack stack = arena.allocate(256 * kKiB);
  EXPECT_EXIT(
      {
        stack.low[-16] = std::byte{0};
        arena.free(stack);
      },
      testing::ExitedWithCode(2), "overflowed its stack of 256 KiB");
}

}  // namespace
}  // namespace tandem::context
