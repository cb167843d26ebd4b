#include "sched/timers.h"

#include <algorithm>
#include <atomic>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/random.h"
#include "sched/park.h"
#include "sched/processor_state.h"
#include "tests/support/scheduler_fixture.h"

namespace tandem::test {
namespace {

using namespace std::chrono_literals;
using sched::TimerNode;
using steady = std::chrono::steady_clock;

class Timers : public OnProcessors {
 protected:
  static sched::Processor& here() { return sched::processor_of(*seam::current_goroutine()); }
};
INSTANTIATE_TEST_SUITE_P(Processors, Timers, test::processor_counts());

TEST_P(Timers, NeverEarly) {
  run([] {
    for (const auto duration : {1us, 100us, 1000us, 5000us}) {
      const auto start = steady::now();
      sleep_for(duration);
      EXPECT_GE(steady::now() - start, duration);
    }
    const auto until = steady::now() + 2ms;
    sleep_until(until);
    EXPECT_GE(steady::now(), until);
    sleep_for(-1s);
    sleep_until(steady::time_point{});
    sleep_until(std::chrono::system_clock::now() + 1ms);
  });
}

TEST_P(Timers, FireInOrderOfTime) {
  Options one = options();
  run_scheduler(one, [&] {
    struct Recorder : TimerNode {
      std::vector<int>* order;
      base::SpinLock* lock;
      std::atomic<int>* left;
      int number;
    };
    constexpr int kTimers = 500;
    std::vector<int> order;
    base::SpinLock lock;
    std::atomic<int> left{kTimers};
    std::vector<Recorder> nodes(kTimers);
    std::vector<int> shuffled(kTimers);
    for (int i = 0; i < kTimers; ++i) shuffled[i] = i;
    base::Random random(3);
    for (int i = kTimers; i-- > 1;) std::swap(shuffled[i], shuffled[random.below(i + 1)]);
    const std::uint64_t start = base::now_ns() + 20'000'000;
    for (int i : shuffled) {
      Recorder& node = nodes[i];
      node.order = &order;
      node.lock = &lock;
      node.left = &left;
      node.number = i;
      node.fire = [](TimerNode& fired, sched::Processor&) {
        auto& self = static_cast<Recorder&>(fired);
        self.lock->lock();
        self.order->push_back(self.number);
        self.lock->unlock();
        --*self.left;
      };
      sched::arm(node, start + i * 1'000ull, here());
    }
    while (left > 0) sleep_for(1ms);
    for (Recorder& node : nodes) EXPECT_FALSE(sched::disarm(node));
    if (GetParam() == 1) {  // with several, two workers may run neighbours at the same time
      EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
    }
    EXPECT_EQ(order.size(), static_cast<std::size_t>(kTimers));
  });
}

TEST_P(Timers, DisarmedOnesDoNotFire) {
  run([&] {
    static std::atomic<int> fired{0};
    fired = 0;
    std::vector<TimerNode> nodes(1000);
    for (TimerNode& node : nodes) {
      node.fire = [](TimerNode&, sched::Processor&) { ++fired; };
      sched::arm(node, base::now_ns() + 3'600'000'000'000, here());
    }
    base::Random random(5);
    for (int i = 0; i < 3000; ++i) {
      TimerNode& node = nodes[random.below(1000)];
      if (sched::disarm(node)) sched::arm(node, base::now_ns() + 3'600'000'000'000 + random.below(1000), here());
    }
    for (TimerNode& node : nodes) EXPECT_TRUE(sched::disarm(node));
    EXPECT_EQ(fired.load(), 0);
    EXPECT_EQ(here().sched->timers.size(), 0u);
  });
}

// A node may be destroyed as soon as disarm returned, fired or not.
TEST_P(Timers, DisarmRacesWithFiring) {
  run([&] {
    std::atomic<int> ended{0};
    for (int g = 0; g < 8; ++g)
      go([&, g] {
        base::Random random(static_cast<std::uint64_t>(g) + 1);
        for (int i = 0; i < 300; ++i) {
          struct Node : TimerNode {
            std::atomic<bool> fired{false};
            std::uint64_t canary = 0x5afe;
          } node;
          node.fire = [](TimerNode& base, sched::Processor&) {
            auto& self = static_cast<Node&>(base);
            EXPECT_EQ(self.canary, 0x5afeu);
            self.fired = true;
          };
          sched::arm(node, base::now_ns() + random.below(40'000), here());
          if (random.below(2) == 0)
            sleep_for(std::chrono::microseconds(random.below(40)));
          else
            yield();
          const bool stopped = sched::disarm(node);
          EXPECT_NE(stopped, node.fired.load());
          node.canary = 0;
        }
        ++ended;
      });
    while (ended < 8) sleep_for(1ms);
  });
}

// Nobody polls for the timer but the monitor: it asks the running goroutine to yield.
TEST_P(Timers, SleepersAreNotLateBesideComputingGoroutines) {
  run([&] {
    std::atomic<bool> stop{false};
    for (std::uint32_t i = 0; i < GetParam(); ++i)
      go([&] {
        while (!stop) safepoint();
      });
    std::vector<std::chrono::nanoseconds> lateness;
    for (int i = 0; i < 20; ++i) {
      const auto start = steady::now();
      sleep_for(1ms);
      lateness.push_back(steady::now() - start - 1ms);
    }
    stop = true;
    wait_until([] { return goroutine_count() == 1; });
    // Without the request it is the 10 ms slice. The median, and generous: the machine may have other things to do.
    std::nth_element(lateness.begin(), lateness.begin() + 10, lateness.end());
    EXPECT_LT(lateness[10], 200ms);
  });
}

}  // namespace
}  // namespace tandem::test
