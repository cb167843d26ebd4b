#include "sched/task_deque.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

#include "runtime/base/random.h"
#include "tests/support/scale.h"

namespace tandem::sched {
namespace {

TEST(TaskDeque, GivesTheOwnerTheYoungestAndThievesTheOldest) {
  for (const bool has_thieves : {true, false}) {
    const auto goroutines = std::make_unique<Goroutine[]>(4);
    TaskDeque deque(has_thieves);
    EXPECT_TRUE(deque.empty());
    EXPECT_EQ(deque.pop(), nullptr);
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(deque.push(goroutines[i]));
    EXPECT_FALSE(deque.empty());
    EXPECT_EQ(deque.pop(), &goroutines[3]);
    if (has_thieves) {
      EXPECT_EQ(deque.steal(), &goroutines[0]);
      EXPECT_EQ(deque.pop(), &goroutines[2]);
    }
    EXPECT_NE(deque.pop(), nullptr);
  }
}

TEST(TaskDeque, SaysWhenItIsFull) {
  const auto goroutines = std::make_unique<Goroutine[]>(TaskDeque::kSlots + 1);
  TaskDeque deque(true);
  for (std::uint32_t i = 0; i < TaskDeque::kSlots; ++i) ASSERT_TRUE(deque.push(goroutines[i]));
  EXPECT_FALSE(deque.push(goroutines[TaskDeque::kSlots]));
  EXPECT_EQ(deque.steal(), &goroutines[0]);
  EXPECT_TRUE(deque.push(goroutines[TaskDeque::kSlots]));
  EXPECT_EQ(deque.pop(), &goroutines[TaskDeque::kSlots]);
}

// The race for the last task is the delicate one, so the owner keeps few in it.
TEST(TaskDeque, LosesAndDuplicatesNothingUnderStealing) {
  const auto goroutine_count = static_cast<std::size_t>(test::scaled(500'000));
  constexpr int kThieves = 3;
  const auto goroutines = std::make_unique<Goroutine[]>(goroutine_count);
  const auto times_seen = std::make_unique<std::atomic<int>[]>(goroutine_count);
  TaskDeque deque(true);
  std::atomic<bool> done{false};
  auto see = [&](Goroutine* goroutine) {
    times_seen[static_cast<std::size_t>(goroutine - goroutines.get())].fetch_add(1, std::memory_order_relaxed);
  };
  std::vector<std::thread> thieves;
  for (int i = 0; i < kThieves; ++i)
    thieves.emplace_back([&] {
      while (!done.load())
        if (Goroutine* stolen = deque.steal()) see(stolen);
    });
  base::Random random(11);
  for (std::size_t i = 0; i < goroutine_count;) {
    if (deque.push(goroutines[i])) ++i;
    if (random.below(16) != 0)
      if (Goroutine* own = deque.pop()) see(own);
  }
  while (Goroutine* own = deque.pop()) see(own);
  done.store(true);
  for (std::thread& thief : thieves) thief.join();
  EXPECT_TRUE(deque.empty());
  for (std::size_t i = 0; i < goroutine_count; ++i) ASSERT_EQ(times_seen[i].load(), 1) << "goroutine " << i;
}

}  // namespace
}  // namespace tandem::sched
