// Sleeping workers: in the poller, up to the next timer, woken by events, timers and work.
#include "sched/idle.h"

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "tests/support/fake_poller.h"
#include "tests/support/scheduler_fixture.h"

namespace tandem::test {
namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

class Idle : public OnProcessors {
 protected:
  void run_with_poller(const std::function<void()>& body) {
    FakeCollector collector;
    run_scheduler(options(), collector, &poller_, body);
  }
  FakePoller poller_;
};
INSTANTIATE_TEST_SUITE_P(Processors, Idle, test::processor_counts());

TEST_P(Idle, EventsWakeASleepingProgram) {
  std::thread outside;
  std::atomic<int> woken{0};
  run_with_poller([&] {
    outside = std::thread([&] {
      for (int i = 0; i < 20; ++i) {
        std::this_thread::sleep_for(1ms);
        poller_.trigger();
      }
    });
    for (int i = 0; i < 20; ++i) {
      poller_.wait();
      ++woken;
    }
  });
  outside.join();
  EXPECT_EQ(woken.load(), 20);
}

TEST_P(Idle, EventsReachWaitersBesideBusyGoroutines) {
  std::atomic<bool> stop{false};
  run_with_poller([&] {
    for (std::uint32_t i = 0; i < GetParam(); ++i)
      go([&] {
        while (!stop) safepoint();
      });
    std::thread outside([&] {
      std::this_thread::sleep_for(2ms);
      poller_.trigger();
    });
    poller_.wait();
    stop = true;
    outside.join();
  });
}

TEST_P(Idle, TimersEndTheSleepInThePoller) {
  run_with_poller([] {
    for (int i = 0; i < 20; ++i) {
      const auto start = steady::now();
      sleep_for(500us);
      EXPECT_GE(steady::now() - start, 500us);
    }
  });
}

// The worker sleeps until the far timer; the near one, armed by another worker, must interrupt it.
TEST_P(Idle, ANearerTimerShortensTheSleep) {
  run_with_poller([] {
    go([] { sleep_for(1h); });
    sleep_for(2ms);
    const auto start = steady::now();
    std::atomic<bool> done{false};
    go([&] {
      sleep_for(1ms);
      done = true;
    });
    blocking([&] {
      while (!done) std::this_thread::sleep_for(100us);
    });
    EXPECT_LT(steady::now() - start, 10s);
  });
}

TEST_P(Idle, WorkWakesWorkersUpToTheNumberOfProcessors) {
  // Goroutines that never poll: each needs a worker of its own, or this hangs.
  run_with_poller([&] {
    std::atomic<std::uint32_t> running{0};
    const std::uint32_t wanted = GetParam();
    for (std::uint32_t i = 1; i < wanted; ++i)
      go([&] {
        ++running;
        while (running < wanted) std::this_thread::yield();
      });
    ++running;
    while (running < wanted) std::this_thread::yield();
    wait_until([] { return goroutine_count() == 1; });
  });
}

TEST_P(Idle, BurstsAndSilenceAlternate) {
  run_with_poller([&] {
    for (int burst = 0; burst < 30; ++burst) {
      std::atomic<int> left{64};
      for (int i = 0; i < 64; ++i)
        go([&] {
          yield();
          --left;
        });
      while (left > 0) sleep_for(200us);
      wait_until([] { return goroutine_count() == 1; });
      EXPECT_EQ(sched::shared->idle.searching.load() <= GetParam(), true);
    }
  });
}

TEST(IdleDeathTest, NobodyWaitingInThePollerIsADeadlock) {
  Options options;
  options.processors = 4;
  static FakePoller poller;
  EXPECT_EXIT(
      {
        FakeCollector collector;
        run_scheduler(options, collector, &poller, [] {
          sleep_for(5ms);
          sched::Goroutine& self = *seam::current_goroutine();
          sched::open_ticket(self);
          sched::park(self, "nothing", nullptr, nullptr, nullptr);
        });
      },
      testing::ExitedWithCode(2), "deadlock!");
}

}  // namespace
}  // namespace tandem::test
