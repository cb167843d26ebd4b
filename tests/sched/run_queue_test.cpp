#include "sched/run_queue.h"

#include <atomic>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/base/random.h"
#include "sched/injection_queue.h"

namespace tandem::sched {
namespace {

std::unique_ptr<Goroutine[]> make_goroutines(std::size_t count) {
  auto result = std::make_unique<Goroutine[]>(count);
  for (std::size_t i = 0; i < count; ++i) result[i].id = i;
  return result;
}

TEST(RunQueue, IsFirstInFirstOut) {
  auto goroutines = make_goroutines(3);
  RunQueue queue;
  EXPECT_TRUE(queue.ring_empty());
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(queue.push(goroutines[i]));
  EXPECT_EQ(queue.ring_size(), 3u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(queue.pop(), &goroutines[i]);
  EXPECT_EQ(queue.pop(), nullptr);
}

TEST(RingMark, WaitsForWhatWasInTheRingWhoeverTakesIt) {
  auto goroutines = make_goroutines(6);
  RunQueue queue, thief;
  RingMark mark;
  EXPECT_FALSE(mark.waits(queue));
  mark.set(queue);
  EXPECT_FALSE(mark.waits(queue)) << "the ring is empty";
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(queue.push(goroutines[i]));
  mark.set(queue);
  for (int i = 3; i < 6; ++i) ASSERT_TRUE(queue.push(goroutines[i]));
  EXPECT_EQ(queue.pop(), &goroutines[0]);
  mark.forget_if_reached(queue);
  EXPECT_TRUE(mark.waits(queue)) << "the second and the third have not been taken";
  ASSERT_NE(thief.steal_from(queue), nullptr);  // half of the five
  EXPECT_FALSE(mark.waits(queue)) << "those that came later do not count";
  mark.forget_if_reached(queue);
  EXPECT_FALSE(mark.waits(queue));
}

TEST(RunQueue, RefusesWhatDoesNotFitAndGivesTheOlderHalfAway) {
  auto goroutines = make_goroutines(RunQueue::kSlots + 1);
  RunQueue queue;
  for (std::uint32_t i = 0; i < RunQueue::kSlots; ++i) ASSERT_TRUE(queue.push(goroutines[i]));
  EXPECT_FALSE(queue.push(goroutines[RunQueue::kSlots]));
  Goroutine* half[RunQueue::kSlots / 2];
  ASSERT_EQ(queue.take_half(half), RunQueue::kSlots / 2);
  for (std::uint32_t i = 0; i < RunQueue::kSlots / 2; ++i) EXPECT_EQ(half[i], &goroutines[i]);
  EXPECT_TRUE(queue.push(goroutines[RunQueue::kSlots]));
  EXPECT_EQ(queue.pop(), &goroutines[RunQueue::kSlots / 2]);
}

TEST(RunQueue, NextSlotReturnsWhomItDisplaces) {
  auto goroutines = make_goroutines(2);
  RunQueue queue;
  EXPECT_EQ(queue.exchange_next(&goroutines[0]), nullptr);
  EXPECT_EQ(queue.exchange_next(&goroutines[1]), &goroutines[0]);
  EXPECT_TRUE(queue.has_next());
  EXPECT_EQ(queue.steal_next(), &goroutines[1]);
  EXPECT_EQ(queue.take_next(), nullptr);
}

TEST(RunQueue, ThiefTakesHalfRoundedUp) {
  auto goroutines = make_goroutines(5);
  RunQueue victim, thief;
  for (int i = 0; i < 5; ++i) victim.push(goroutines[i]);
  EXPECT_EQ(thief.steal_from(victim), &goroutines[2]);
  EXPECT_EQ(thief.ring_size(), 2u);
  EXPECT_EQ(victim.ring_size(), 2u);
  EXPECT_EQ(RunQueue().steal_from(thief), &goroutines[0]);
}

TEST(RunQueue, ThiefTakesNoMoreThanItHasRoomFor) {
  auto goroutines = make_goroutines(2 * RunQueue::kSlots);
  RunQueue victim, thief;
  for (std::uint32_t i = 0; i < RunQueue::kSlots; ++i) victim.push(goroutines[i]);
  for (std::uint32_t i = 0; i + 2 < RunQueue::kSlots; ++i) thief.push(goroutines[RunQueue::kSlots + i]);
  EXPECT_EQ(thief.steal_from(victim), &goroutines[1]);
  EXPECT_EQ(thief.ring_size(), RunQueue::kSlots - 1);
  EXPECT_EQ(victim.ring_size(), RunQueue::kSlots - 2);
  EXPECT_EQ(thief.pop(), &goroutines[RunQueue::kSlots]);
}

// Owner pushes and pops, thieves steal: every goroutine comes out exactly once.
TEST(RunQueue, LosesAndDuplicatesNothingUnderStealing) {
  constexpr std::size_t kGoroutines = 100'000;
  constexpr int kThieves = 3;
  auto goroutines = make_goroutines(kGoroutines);
  auto times_seen = std::make_unique<std::atomic<int>[]>(kGoroutines);
  RunQueue queue;
  std::atomic<bool> done{false};
  auto see = [&](Goroutine* goroutine) { times_seen[goroutine->id].fetch_add(1, std::memory_order_relaxed); };

  std::vector<std::thread> thieves;
  for (int i = 0; i < kThieves; ++i)
    thieves.emplace_back([&] {
      RunQueue mine;
      while (!done.load()) {
        if (Goroutine* stolen = mine.steal_from(queue)) see(stolen);
        while (Goroutine* own = mine.pop()) see(own);
        if (Goroutine* next = queue.steal_next()) see(next);
      }
    });
  base::Random random(7);
  for (std::size_t i = 0; i < kGoroutines;) {
    if (random.below(8) == 0) {
      if (Goroutine* displaced = queue.exchange_next(&goroutines[i++])) see(displaced);
    } else if (queue.push(goroutines[i])) {
      ++i;
    } else {
      Goroutine* half[RunQueue::kSlots / 2];
      const std::uint32_t count = queue.take_half(half);
      for (std::uint32_t k = 0; k < count; ++k) see(half[k]);
    }
    if (random.below(3) == 0)
      if (Goroutine* own = queue.pop()) see(own);
  }
  while (Goroutine* own = queue.pop()) see(own);
  if (Goroutine* next = queue.take_next()) see(next);
  done.store(true);
  for (std::thread& thief : thieves) thief.join();
  for (std::size_t i = 0; i < kGoroutines; ++i) ASSERT_EQ(times_seen[i].load(), 1) << "goroutine " << i;
}

TEST(InjectionQueue, KeepsOrderOverBatches) {
  auto goroutines = make_goroutines(5);
  InjectionQueue queue;
  Goroutine* batch[] = {&goroutines[0], &goroutines[1], &goroutines[2]};
  queue.push_batch(batch, 3);
  queue.push(goroutines[3]);
  Goroutine* out[8];
  ASSERT_EQ(queue.pop_batch(out, 2), 2u);
  EXPECT_EQ(out[0], &goroutines[0]);
  EXPECT_EQ(out[1], &goroutines[1]);
  EXPECT_EQ(queue.size(), 2u);
  ASSERT_EQ(queue.pop_batch(out, 8), 2u);
  EXPECT_EQ(out[1], &goroutines[3]);
  EXPECT_TRUE(queue.empty());
}

}  // namespace
}  // namespace tandem::sched
