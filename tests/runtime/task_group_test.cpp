#include "tandem/task_group.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include "tandem/channel.h"
#include "tests/support/run_fixture.h"

namespace tandem {
namespace {

using namespace std::chrono_literals;

class TaskGroupTest : public test::OnProcessors {};
TANDEM_ON_PROCESSORS(TaskGroupTest);

long fibonacci(int n) {
  if (n < 2) return n;
  long left = 0;
  TaskGroup group;
  group.go([&] { left = fibonacci(n - 1); });
  const long right = fibonacci(n - 2);
  group.wait();
  return left + right;
}

TEST_P(TaskGroupTest, ForksAndJoins) {
  run_clean([] { EXPECT_EQ(fibonacci(16), 987); });
}

TEST_P(TaskGroupTest, WaitsForAllAndCanBeUsedAgain) {
  run_clean([] {
    TaskGroup group;
    group.wait();
    std::atomic<int> ended{0};
    auto token = std::make_shared<int>();
    for (int round = 1; round <= 3; ++round) {
      for (int i = 0; i < 10; ++i)
        group.go([&, token] {
          sleep_for(1ms);
          ++ended;
        });
      group.wait();
      EXPECT_EQ(ended, 10 * round);
      EXPECT_EQ(token.use_count(), 1);
    }
  });
}

TEST_P(TaskGroupTest, TheFirstExceptionCancelsTheRestAndIsRethrown) {
  run_clean([] {
    TaskGroup group;
    std::atomic<int> started{0}, cancelled{0};
    auto never = make_channel<int>();
    for (int i = 0; i < 5; ++i)
      group.go([&, never] {
        ++started;
        try {
          never->receive();
        } catch (const Cancelled&) {
          ++cancelled;
          throw;
        }
      });
    EXPECT_TRUE(test::eventually([&] { return started == 5; }));
    group.go([] { throw std::runtime_error("first"); });
    try {
      group.wait();
      ADD_FAILURE() << "wait() did not throw";
    } catch (const std::runtime_error& error) {
      EXPECT_EQ(error.what(), std::string("first"));
    }
    EXPECT_EQ(cancelled, 5);
    group.go([] {});
    group.wait();
  });
}

TEST_P(TaskGroupTest, TheDestructorCancelsAndWaits) {
  run_clean([] {
    std::atomic<int> started{0}, ended{0};
    {
      TaskGroup group;
      for (int i = 0; i < 5; ++i)
        group.go([&] {
          ++started;
          try {
            sleep_for(1h);
          } catch (const Cancelled&) {
            CancellationShield shield;
            sleep_for(2ms);
            ++ended;
          }
        });
      EXPECT_TRUE(test::eventually([&] { return started == 5; }));
    }
    EXPECT_EQ(ended, 5);
    try {
      TaskGroup group;
      group.go([] { sleep_for(1h); });
      throw std::runtime_error("leaves the scope");
    } catch (const std::runtime_error&) {
    }
  });
}

TEST_P(TaskGroupTest, CancelReachesNestedGroups) {
  run_clean([] {
    std::atomic<int> inner_cancelled{0};
    std::atomic<bool> started{false};
    TaskGroup outer;
    outer.go([&] {
      TaskGroup inner;
      inner.go([&] {
        started = true;
        try {
          sleep_for(1h);
        } catch (const Cancelled&) {
          ++inner_cancelled;
          throw;
        }
      });
      inner.wait();
    });
    EXPECT_TRUE(test::eventually([&] { return started.load(); }));
    outer.cancel();
    outer.wait();
    EXPECT_EQ(inner_cancelled, 1);
  });
}

TEST_P(TaskGroupTest, EndOfRunCancelsTheWaitAfterItsTasks) {
  std::atomic<bool> started{false}, ok{false};
  run_and_cancel([&] {
    go([&] {
      std::atomic<bool> ended{false};
      TaskGroup group;
      group.go([&] {
        started = true;
        try {
          sleep_for(1h);
        } catch (const Cancelled&) {
          CancellationShield shield;
          sleep_for(2ms);
          ended = true;
        }
      });
      try {
        group.wait();
      } catch (const Cancelled&) {
        ok = ended.load();
        throw;
      }
    });
    EXPECT_TRUE(test::eventually([&] { return started.load(); }));
  });
  EXPECT_TRUE(ok);
}

// Tasks come before what waits in the queue, but not for ever.
TEST_P(TaskGroupTest, EndlessRecursionDoesNotStarveOthers) {
  run_clean([] {
    std::atomic<bool> ran{false};
    go([&] {
      yield();
      ran = true;
    });
    while (!ran) {
      TaskGroup outer;
      for (int i = 0; i < 2; ++i)
        outer.go([] {
          TaskGroup inner;
          inner.go([] {});
          inner.wait();
        });
      outer.wait();
    }
  });
}

}  // namespace
}  // namespace tandem
