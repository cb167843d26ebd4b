// Stacks that nobody has changed are not walked again (gc/stack_summary.h), and those that somebody has changed are. Each run
// verifies after each marking that everything reachable is marked, whatever was known of the stacks.
#include "tests/runtime/heap_test.h"
#include "tests/support/scale.h"

#include <array>
#include <optional>

#include <tandem/detail/barrier.h>

namespace {

using tandem::Local;
using tandem::make;
using tandem::Options;
using tandem::WaitGroup;
using tandem_test::Canary;

class StackSummaryTest : public tandem_test::HeapTest {
 protected:
  Options always() const {
    Options options = this->options();
    options.stack_summary_from = 0;
    options.stack_shrink = false;  // looks at pages walk stacks, too
    options.verify_after_mark = true;
    return options;
  }

  /// Runs `while_parked(gate)` when `count` goroutines wait at the gate, each with a canary of its own in `keep`, then lets
  /// them look at it.
  template <class WhileParked>
  static void with_parked(std::uint64_t count, WhileParked while_parked) {
    const auto gate = tandem::make_channel<char>();
    WaitGroup arrived, ended;
    arrived.add(static_cast<std::int64_t>(count));
    for (std::uint64_t i = 0; i < count; ++i)
      ended.go([&arrived, gate, i] {
        const Local<Canary> mine = make<Canary>(i);
        arrived.done();
        gate->receive();
        EXPECT_TRUE(mine->is(i));
      });
    arrived.wait();
    while_parked();
    gate->close();
    ended.wait();
  }

  static std::uint64_t skipped() { return tandem::statistics().stacks_skipped; }
};
TANDEM_TEST_OVER_PROCESSORS(StackSummaryTest);

constexpr std::uint64_t kParked = 500;
constexpr int kCycles = 6;

void collect_times(int times) {
  for (int i = 0; i < times; ++i) tandem_test::churn();
}

/// Until each of them has parked, which is a moment after it has said so, and been walked since.
bool skips_all_parked() {
  for (int cycle = 0; cycle < 1000; ++cycle) {
    const std::uint64_t before = tandem::statistics().stacks_skipped;
    tandem_test::churn();
    if (tandem::statistics().stacks_skipped - before >= kParked) return true;
  }
  return false;
}

TEST_P(StackSummaryTest, UnchangedStacksAreSkipped) {
  TANDEM_NOT_OVER_BOEHM("it walks all stacks");
  run(always(), [] {
    with_parked(kParked, [] {
      ASSERT_TRUE(skips_all_parked());
      const std::uint64_t before = skipped();
      collect_times(kCycles);
      EXPECT_GE(skipped() - before, kCycles * kParked);
    });
  });
}

TEST_P(StackSummaryTest, StacksAreWalkedWhereSummariesAreNotKept) {
  Options off = always();
  off.stack_summary = false;
  Options many = always();
  many.stack_summary_from = 10'000;
  Options conservative = always();
  conservative.roots = Options::Roots::conservative;
  for (const Options& options : {off, many, conservative}) {
    if (options.roots != Options::Roots::precise) TANDEM_NOT_OVER_BOEHM("roots = conservative is not for it");
    run(options, [] {
      with_parked(kParked, [] { collect_times(kCycles); });
      EXPECT_EQ(skipped(), 0u);
    });
  }
}

// A stack that was deep is looked at once, then left alone.
TEST_P(StackSummaryTest, PagesAreGivenBackAllTheSame) {
  TANDEM_NOT_OVER_BOEHM("it walks all stacks");
  Options options = always();
  options.stack_shrink = true;
  run(options, [] {
    with_parked(kParked, [] {
      collect_times(65);
      ASSERT_TRUE(skips_all_parked());
      const std::uint64_t before = skipped();
      collect_times(kCycles);
      EXPECT_GE(skipped() - before, kCycles * kParked);
    });
  });
}

TEST_P(StackSummaryTest, AGoroutineThatHasRunIsWalkedAgain) {
  run(always(), [] {
    constexpr int kGoroutines = 50, kRounds = 20;
    const auto turns = tandem::make_channel<int>();
    std::atomic<int> arrived{0};
    WaitGroup group;
    for (int i = 0; i < kGoroutines; ++i)
      group.go([&] {
        Local<Canary> mine;
        for (std::uint64_t round = 0;; ++round) {
          mine = make<Canary>(round);
          ++arrived;
          if (!turns->receive()) return;
          ASSERT_TRUE(mine->is(round));
        }
      });
    for (int round = 1; round <= kRounds; ++round) {
      while (arrived < round * kGoroutines) tandem::yield();
      collect_times(3);
      for (int i = 0; i < kGoroutines; ++i) turns->send(round);
    }
    while (arrived < (kRounds + 1) * kGoroutines) tandem::yield();
    turns->close();
    group.wait();
  });
}

TEST_P(StackSummaryTest, MoreRootsThanASummaryHolds) {
  run(always(), [] {
    const auto gate = tandem::make_channel<char>();
    WaitGroup group;
    for (int i = 0; i < 20; ++i)
      group.go([gate] {
        std::array<Local<Canary>, 9> many;
        for (std::uint64_t j = 0; j < many.size(); ++j) many[j] = make<Canary>(j);
        gate->receive();
        for (std::uint64_t j = 0; j < many.size(); ++j) EXPECT_TRUE(many[j]->is(j));
      });
    collect_times(kCycles);
    gate->close();
    group.wait();
  });
}

/// A goroutine that waits with what `Slot` describes on its stack, walked and summarised; then another one changes it.
template <class Slot>
void change_while_parked(Slot& slot, void (*change)(Slot&), void (*check)(Slot&)) {
  WaitGroup changed;
  const auto go_on = tandem::make_channel<char>();
  changed.go([&slot, change, go_on] {
    go_on->receive();
    change(slot);
    collect_times(2);
  });
  // The one that collects is not the one whose stack is looked at.
  tandem::go([go_on] {
    collect_times(3);
    go_on->close();
  });
  changed.wait();
  check(slot);
}

TEST_P(StackSummaryTest, ALocalIsConstructedOnAParkedStack) {
  run(always(), [] {
    std::optional<Local<Canary>> result;
    change_while_parked<std::optional<Local<Canary>>>(
        result, [](auto& slot) { slot.emplace(make<Canary>(7u)); }, [](auto& slot) { EXPECT_TRUE((*slot)->is(7)); });
  });
}

TEST_P(StackSummaryTest, ALocalOnAParkedStackIsAssigned) {
  run(always(), [] {
    Local<Canary> result;
    change_while_parked<Local<Canary>>(
        result, [](auto& slot) { slot = make<Canary>(7u); }, [](auto& slot) { EXPECT_TRUE(slot->is(7)); });
    change_while_parked<Local<Canary>>(
        result, [](auto& slot) { slot = Local<Canary>(make<Canary>(8u)); },
        [](auto& slot) { EXPECT_TRUE(slot->is(8)); });
    const Local<Canary> holder = make<Canary>(make<Canary>(9u), 0u);
    result = holder;
    change_while_parked<Local<Canary>>(
        result, [](auto& slot) { slot = slot->next; }, [](auto& slot) { EXPECT_TRUE(slot->is(9)); });
  });
}

TEST_P(StackSummaryTest, ALocalInTheClosureOfAParkedGoroutineIsConstructed) {
  run(always(), [] {
    WaitGroup group;
    group.go([result = std::optional<Local<Canary>>()]() mutable {
      change_while_parked<std::optional<Local<Canary>>>(
          result, [](auto& slot) { slot.emplace(make<Canary>(7u)); }, [](auto& slot) { EXPECT_TRUE((*slot)->is(7)); });
    });
    group.wait();
  });
}

// Precision: what another goroutine takes away is collected although the owner has not run.
TEST_P(StackSummaryTest, WhatAnotherGoroutineClearsIsCollected) {
  TANDEM_NOT_OVER_BOEHM("it scans its own frames conservatively");
  run(always(), [] {
    static tandem::WeakPersistent<Canary> weak[2];
    std::array<Local<Canary>, 2> slots;
    for (std::uint64_t i = 0; i < 2; ++i) {
      slots[i] = make<Canary>(i);
      weak[i] = tandem::WeakPersistent<Canary>(slots[i]);
    }
    change_while_parked<std::array<Local<Canary>, 2>>(
        slots,
        [](auto& locals) {
          locals[0] = nullptr;
          {
            const Local<Canary> taken = std::move(locals[1]);
          }
          tandem::collect();
          EXPECT_FALSE(weak[0].lock());
          EXPECT_FALSE(weak[1].lock());
        },
        [](auto& locals) { EXPECT_TRUE(!locals[0] && !locals[1]); });
    for (auto& each : weak) each.reset();
  });
}

// All kinds of changes, at any time of a cycle, from several goroutines; the parked ones wake now and then.
TEST_P(StackSummaryTest, ChangesAtRandomWhileCyclesRun) {
  const auto kChanges = tandem::test::scaled<std::uint64_t>(40'000);
  const auto kCyclesAtLeast = tandem::test::scaled<std::uint64_t>(100);
  run(always(), [&] {
    constexpr std::size_t kOwners = 16, kSlots = 3;
    using Slots = std::array<std::optional<Local<Canary>>, kSlots>;
    std::array<std::atomic<Slots*>, kOwners> slots_of{};
    const auto wake = tandem::make_channel<int>();
    std::atomic<bool> stop{false};
    std::atomic<std::uint64_t> cycles{0};
    std::array<tandem::Mutex, kOwners> mutexes;
    WaitGroup owners, others;
    for (std::size_t i = 0; i < kOwners; ++i)
      owners.go([&, i] {
        Slots slots;
        slots_of[i] = &slots;
        while (wake->receive()) {
        }
        const std::lock_guard guard(mutexes[i]);
        slots_of[i] = nullptr;
        for (const auto& slot : slots) EXPECT_TRUE(!slot || !*slot || (*slot)->alive());
      });
    others.go([&] {
      for (; !stop; ++cycles) tandem::collect();
    });
    for (std::uint64_t writer = 0; writer < 2; ++writer)
      others.go([&, writer] {
        std::mt19937_64 random(2741 * processors() + writer);
        for (std::uint64_t i = 0; i < kChanges || cycles < kCyclesAtLeast; ++i) {
          const std::size_t owner = random() % kOwners;
          {
            const std::lock_guard guard(mutexes[owner]);
            Slots* const slots = slots_of[owner];
            if (slots == nullptr) continue;  // it has not begun
            std::optional<Local<Canary>>& slot = (*slots)[random() % kSlots];
            ASSERT_TRUE(!slot || !*slot || (*slot)->alive()) << "lost on a parked goroutine's stack, change " << i;
            switch (random() % 4) {
              case 0: slot.emplace(make<Canary>(i)); break;
              case 1: slot.reset(); break;
              case 2: slot = (*slots)[random() % kSlots]; break;
              case 3:
                if (slot) *slot = make<Canary>(i);
            }
          }
          if (random() % 16 == 0) static_cast<void>(wake->try_send(1));
          if (random() % 8 == 0) tandem::yield();
        }
        stop = true;
      });
    others.wait();
    wake->close();
    owners.wait();
  });
}

// A store that falls into the walk which makes the summary: the stack is long, its one slot lies where the walk begins.
TEST(StackSummary, AStoreDuringTheWalk) {
  const auto kStores = tandem::test::scaled<std::uint64_t>(400);
  Options options;
  options.processors = 2;  // one walks, one stores
  options.stack_summary_from = 0;
  options.poison_freed = true;
  tandem::run(options, [&] {
    struct Frame {
      Local<Canary> slot;
      std::array<char, 200'000> room;
    };
    std::atomic<Frame*> frame{nullptr};
    std::atomic<bool> stop{false};
    std::atomic<std::uint64_t> cycles{0};
    const auto end = tandem::make_channel<char>();
    WaitGroup owner, others;
    owner.go([&frame, end] {
      Frame mine;
      mine.room.fill(0);
      frame = &mine;
      end->receive();
    });
    others.go([&] {
      for (; !stop; ++cycles) tandem::collect();
    });
    others.go([&] {
      while (frame == nullptr) tandem::yield();
      std::minstd_rand random(977);
      const auto scanning = [] { return (tandem::detail::barrier_bits() & tandem::detail::kBarrierLoads) != 0; };
      for (std::uint64_t i = 0; i < kStores; ++i) {
        Local<Canary> canary = make<Canary>(i);
        while (scanning()) tandem::safepoint();
        (*frame).slot = nullptr;  // the next cycle walks the stack
        while (!scanning()) tandem::safepoint();
        for (auto delay = random() % 4000; delay > 0; --delay) tandem::safepoint();
        (*frame).slot = canary;
        canary = nullptr;
        for (const std::uint64_t stored = cycles; cycles < stored + 3;) tandem::safepoint();
        EXPECT_TRUE((*frame).slot->is(i)) << "store " << i;
      }
      stop = true;
    });
    others.wait();
    end->close();
    owner.wait();
  });
}

}  // namespace
