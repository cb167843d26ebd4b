#include "sched/timer_wheel.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <vector>

#include "runtime/base/random.h"

namespace tandem::sched {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

TEST(TimerWheel, IsEmptyAtFirst) {
  TimerWheel wheel;
  EXPECT_EQ(wheel.next_ns(), TimerWheel::kNever);
  EXPECT_EQ(wheel.size(), 0u);
  EXPECT_EQ(wheel.expired(UINT64_MAX), nullptr);
}

TEST(TimerWheel, TellsTheTimeOfTheEarliest) {
  TimerWheel wheel;
  TimerNode late, early;
  wheel.insert(late, 3600 * kSecond);
  EXPECT_EQ(wheel.next_ns(), 3600 * kSecond);
  wheel.insert(early, 7);
  EXPECT_EQ(wheel.next_ns(), 7u);
  EXPECT_EQ(wheel.expired(6), nullptr);
  EXPECT_EQ(wheel.expired(7), &early);
  wheel.remove(early);
  EXPECT_EQ(wheel.next_ns(), 3600 * kSecond);
  wheel.remove(late);
  EXPECT_EQ(wheel.next_ns(), TimerWheel::kNever);
}

TEST(TimerWheel, TakesOneThatIsAlreadyLate) {
  TimerWheel wheel;
  TimerNode first, second, late;
  wheel.insert(first, 1000);
  wheel.insert(second, 1001);
  ASSERT_EQ(wheel.expired(1000), &first);
  wheel.remove(first);
  wheel.insert(late, 3);
  EXPECT_EQ(wheel.next_ns(), 3u);
  ASSERT_EQ(wheel.expired(1001), &late);
  wheel.remove(late);
  EXPECT_EQ(wheel.expired(1001), &second);
  wheel.remove(second);
}

TEST(TimerWheel, KeepsTheOrderOfThoseOfOneTime) {
  TimerWheel wheel;
  std::vector<TimerNode> nodes(100);
  for (TimerNode& node : nodes) wheel.insert(node, kSecond);
  for (TimerNode& node : nodes) {
    ASSERT_EQ(wheel.expired(kSecond), &node);
    wheel.remove(node);
  }
}

// Against an ordered map, at times of every magnitude, with steps of the clock of every magnitude.
TEST(TimerWheel, AgreesWithAnOrderedMap) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    base::Random random(seed);
    auto any_magnitude = [&] { return (std::uint64_t{1} << random.below(45)) + random.below(1000); };
    TimerWheel wheel;
    std::multimap<std::uint64_t, TimerNode*> expected;
    const auto nodes = std::make_unique<TimerNode[]>(500);
    std::vector<TimerNode*> idle;
    for (int i = 0; i < 500; ++i) idle.push_back(&nodes[i]);
    std::uint64_t now = seed * kSecond;
    for (int step = 0; step < 20'000; ++step) {
      const auto what = random.below(8);
      if (what < 4 && !idle.empty()) {
        TimerNode* const node = idle.back();
        idle.pop_back();
        node->when_ns = now + any_magnitude();
        wheel.insert(*node, node->when_ns);
        expected.emplace(node->when_ns, node);
      } else if (what < 6 && !expected.empty()) {
        const auto victim =
            std::next(expected.begin(), static_cast<long>(random.below(static_cast<std::uint32_t>(expected.size()))));
        wheel.remove(*victim->second);
        idle.push_back(victim->second);
        expected.erase(victim);
      } else {
        now += any_magnitude() >> random.below(30);
        while (TimerNode* const node = wheel.expired(now)) {
          ASSERT_FALSE(expected.empty());
          ASSERT_EQ(node->when_ns, expected.begin()->first) << "seed " << seed << ", step " << step;
          wheel.remove(*node);
          const auto [from, to] = expected.equal_range(node->when_ns);
          for (auto it = from; it != to; ++it)
            if (it->second == node) {
              expected.erase(it);
              break;
            }
          idle.push_back(node);
        }
        ASSERT_TRUE(expected.empty() || expected.begin()->first > now) << "seed " << seed << ", step " << step;
        ASSERT_LE(wheel.next_ns(), expected.empty() ? TimerWheel::kNever : expected.begin()->first);
      }
      ASSERT_EQ(wheel.size(), expected.size());
      ASSERT_EQ(wheel.next_ns() == TimerWheel::kNever, expected.empty());
    }
    for (const auto& [when, node] : expected) wheel.remove(*node);
  }
}

}  // namespace
}  // namespace tandem::sched
