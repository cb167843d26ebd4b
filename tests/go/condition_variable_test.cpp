// What Go's sync/cond_test.go checks. Go's Cond has no wake-ups without a Signal, and these tests hold Tandem to that.
#include "tests/go/go_test.h"

#include <mutex>
#include <type_traits>
#include <vector>

namespace tandem {
namespace {

using namespace test;

// Go finds a copied Cond at run time.
static_assert(!std::is_copy_constructible_v<ConditionVariable> && !std::is_copy_assignable_v<ConditionVariable>);

class GoConditionVariable : public GoTest {};
TANDEM_ON_PROCESSORS(GoConditionVariable);

TEST_P(GoConditionVariable, NotifyOneWakesOne) {
  run_clean([] {
    constexpr int kWaiters = 2;
    Mutex mutex;
    ConditionVariable condition;
    auto running = make_channel<bool>(kWaiters), awake = make_channel<bool>(kWaiters);
    for (int i = 0; i < kWaiters; ++i)
      go([=, &mutex, &condition] {
        std::unique_lock lock(mutex);
        running->send(true);
        condition.wait(lock);
        awake->send(true);
      });
    for (int i = 0; i < kWaiters; ++i) running->receive();
    for (int i = 0; i < kWaiters; ++i) {
      yield();
      EXPECT_EQ(awake->size(), 0u) << "awake without a notification";
      {
        std::lock_guard guard(mutex);
        condition.notify_one();
      }
      EXPECT_TRUE(receive_in_time(awake));
      yield();
      EXPECT_EQ(awake->size(), 0u) << "two woken by one notification";
    }
    condition.notify_one();
    EXPECT_TRUE(eventually([] { return goroutine_count() == 1; }));
  });
}

TEST_P(GoConditionVariable, NotifyOneWakesTheOneThatHasWaitedLongest) {
  run_clean([] {
    const int count = scaled(100);
    Mutex mutex;
    ConditionVariable condition;
    auto running = make_channel<bool>(count);
    auto awake = make_channel<int>(count);
    for (int i = 0; i < count; ++i) {
      go([=, &mutex, &condition] {
        std::unique_lock lock(mutex);
        running->send(true);
        condition.wait(lock);
        awake->send(i);
      });
      if (i > 0) ASSERT_EQ(receive_in_time(awake), i - 1);
      running->receive();
      std::lock_guard guard(mutex);
      condition.notify_one();
    }
    EXPECT_TRUE(eventually([] { return goroutine_count() == 1; }));
  });
}

// Round after round, all wait, none is awake, all are woken once.
TEST_P(GoConditionVariable, NotifyAllWakesAllOnce) {
  run_clean([] {
    const int count = scaled(60);
    Mutex mutex;
    ConditionVariable condition;
    bool exit = false;
    auto running = make_channel<int>(count), awake = make_channel<int>(count);
    for (int i = 0; i < count; ++i)
      go([=, &mutex, &condition, &exit] {
        std::unique_lock lock(mutex);
        while (!exit) {
          running->send(i);
          condition.wait(lock);
          awake->send(i);
        }
      });
    for (int round = 0; round < count; ++round) {
      for (int i = 0; i < count; ++i) running->receive();
      EXPECT_EQ(awake->size(), 0u) << "awake without a notification";
      {
        std::lock_guard guard(mutex);
        exit = round == count - 1;
        condition.notify_all();
      }
      std::vector<int> seen(count);
      for (int i = 0; i < count; ++i) ++seen[awake->receive().value()];
      EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), count);
    }
    EXPECT_TRUE(eventually([] { return goroutine_count() == 1; }));
    EXPECT_EQ(running->size(), 0u);
    condition.notify_all();
  });
}

// 1: the first waits. 2: the second has woken it. 3: the first has woken the third, which waited if it saw the 2.
TEST_P(GoConditionVariable, WhatIsWrittenBeforeANotificationIsSeenAfterIt) {
  run_clean([] {
    const int rounds = scaled(100);
    for (int round = 0; round < rounds; ++round) {
      Mutex mutex;
      ConditionVariable condition;
      int step = 0;
      const auto poll = [&](auto look) {
        for (bool done = false; !done;) {
          {
            std::unique_lock lock(mutex);
            done = look(lock);
          }
          if (!done) yield();
        }
      };
      WaitGroup group;
      group.go([&] {
        std::unique_lock lock(mutex);
        step = 1;
        condition.wait(lock);
        EXPECT_EQ(step, 2);
        step = 3;
        condition.notify_one();
      });
      group.go([&] {
        poll([&](auto&) {
          if (step != 1) return false;
          step = 2;
          condition.notify_one();
          return true;
        });
      });
      group.go([&] {
        poll([&](auto& lock) {
          if (step != 2) return step == 3;
          condition.wait(lock);
          EXPECT_EQ(step, 3);
          return true;
        });
      });
      group.wait();
    }
  });
}

// A waiter that comes while notify_all is on its way may be woken or not; the one that was there before must be.
TEST_P(GoConditionVariable, ANewWaiterDoesNotStealTheWakeUpOfAnOldOne) {
  run_clean([] {
    const int rounds = scaled(500);
    for (int round = 0; round < rounds; ++round) {
      Mutex mutex;
      ConditionVariable condition;
      bool done = false;
      auto waiting = make_channel<bool>(), woken = make_channel<bool>();
      WaitGroup group;
      group.go([=, &mutex, &condition] {
        {
          std::unique_lock lock(mutex);
          waiting->send(true);
          condition.wait(lock);
        }
        woken->send(true);
      });
      waiting->receive();
      {
        std::lock_guard until_it_waits(mutex);
      }
      group.go([&] { condition.notify_all(); });
      group.go([&] {
        std::unique_lock lock(mutex);
        while (!done) condition.wait(lock);
      });
      ASSERT_TRUE(receive_in_time(woken)) << "round " << round;
      {
        std::lock_guard guard(mutex);
        done = true;
      }
      condition.notify_all();
      group.wait();
    }
  });
}

}  // namespace
}  // namespace tandem
