#include <atomic>
#include <memory>

#include "tests/support/scheduler_fixture.h"

namespace tandem::test {
namespace {

using namespace std::chrono_literals;

class Ending : public OnProcessors {};
INSTANTIATE_TEST_SUITE_P(Processors, Ending, test::processor_counts());

TEST_P(Ending, CancelsSleepersAndRunsTheirDestructors) {
  std::atomic<int> destroyed{0}, cancelled{0};
  struct Guard {
    std::atomic<int>& count;
    ~Guard() { ++count; }
  };
  run([&] {
    std::atomic<int> started{0};
    for (int i = 0; i < 200; ++i)
      go([&] {
        Guard guard{destroyed};
        ++started;
        try {
          sleep_for(1h);
        } catch (const Cancelled&) {
          ++cancelled;
          throw;
        }
      });
    wait_until([&] { return started == 200; });
  });
  EXPECT_EQ(destroyed.load(), 200);
  EXPECT_EQ(cancelled.load(), 200);
}

TEST_P(Ending, NeverStartedOnesNeverRunButAreDestroyed) {
  auto alive = std::make_shared<int>(0);
  std::atomic<int> runs{0};
  run([&] {
    for (int i = 0; i < 1000; ++i) go([&, alive] { ++runs; });
  });
  if (GetParam() == 1) {
    EXPECT_EQ(runs.load(), 0);
  }
  EXPECT_EQ(alive.use_count(), 1);
}

TEST_P(Ending, SwallowedCancelledIsThrownAgain) {
  std::atomic<int> thrown{0};
  run([&] {
    std::atomic<bool> started{false};
    go([&] {
      started = true;
      for (int i = 0; i < 3; ++i) {
        try {
          for (;;) sleep_for(1ms);
        } catch (const Cancelled&) {
          ++thrown;
        }
      }
      try {
        for (;;) yield();
      } catch (const Cancelled&) {
        ++thrown;
      }
    });
    wait_until([&] { return started.load(); });
  });
  EXPECT_EQ(thrown.load(), 4);
}

TEST_P(Ending, ShieldKeepsCancelledAway) {
  std::atomic<int> finished{0};
  run([&] {
    std::atomic<bool> started{false};
    go([&] {
      struct Flush {
        std::atomic<int>& count;
        ~Flush() {
          CancellationShield shield;
          sleep_for(5ms);
          yield();
          ++count;
        }
      } flush{finished};
      started = true;
      sleep_for(1h);
    });
    wait_until([&] { return started.load(); });
  });
  EXPECT_EQ(finished.load(), 1);
}

TEST_P(Ending, UnwindingGoroutinesMayPark) {
  std::atomic<int> finished{0};
  run([&] {
    std::atomic<bool> started{false};
    go([&] {
      struct Slow {
        std::atomic<int>& count;
        ~Slow() {
          sleep_for(5ms);  // while Cancelled unwinds: not thrown here
          ++count;
        }
      } slow{finished};
      started = true;
      sleep_for(1h);
    });
    wait_until([&] { return started.load(); });
  });
  EXPECT_EQ(finished.load(), 1);
}

TEST_P(Ending, GoroutinesStartedByUnwindingDestructorsEnd) {
  auto alive = std::make_shared<int>(0);
  run([&] {
    std::atomic<int> started{0};
    for (int i = 0; i < 20; ++i)
      go([&, alive] {
        struct Starter {
          std::shared_ptr<int> alive;
          ~Starter() {
            go([kept = alive] {});
          }
        } starter{alive};
        ++started;
        sleep_for(1h);
      });
    wait_until([&] { return started == 20; });
  });
  EXPECT_EQ(alive.use_count(), 1);
}

TEST_P(Ending, WaitsForBlockingCalls) {
  std::atomic<int> returned{0};
  run([&] {
    std::atomic<bool> started{false};
    go([&] {
      blocking([&] {
        started = true;
        std::this_thread::sleep_for(20ms);
      });
      ++returned;
    });
    wait_until([&] { return started.load(); });
  });
  EXPECT_EQ(returned.load(), 1);
}

TEST_P(Ending, FinishRunComesAfterAllOthersEnded) {
  FakeCollector collector;
  static std::size_t count_seen;
  collector.on_finish_run = [] { count_seen = goroutine_count(); };
  run_scheduler(options(), collector, nullptr, [] {
    for (int i = 0; i < 100; ++i) go([] { sleep_for(1h); });
    yield();
  });
  EXPECT_EQ(count_seen, 1u);
}

TEST(EndingDeathTest, GoroutineThatNeverBlocksIsReported) {
  Options options;
  options.processors = 2;
  options.shutdown_grace = std::chrono::milliseconds(50);
  EXPECT_EXIT(run_scheduler(options,
                            [] {
                              std::atomic<bool> started{false};
                              go({.name = "stubborn"}, [&started] {
                                started = true;
                                for (;;) safepoint();
                              });
                              wait_until([&] { return started.load(); });
                            }),
              testing::ExitedWithCode(2), "1 goroutine.s. went on for 50 ms.*\n*goroutine [0-9]+ \"stubborn\"");
}

}  // namespace
}  // namespace tandem::test
