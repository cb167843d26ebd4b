// Options::seed with one processor: sched/simulation.h.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tandem/tandem.h"
#include "tests/support/run_fixture.h"

namespace tandem {
namespace {

using namespace std::chrono_literals;

Options with_seed(std::uint64_t seed) {
  Options options;
  options.seed = seed;
  return options;
}

struct Link {
  Member<Link> next;
  int value;
  void trace(Visitor& visit) const { visit(next); }
};

/// Something of everything: what it did, and in which order, and the hash of its schedule.
struct Trace {
  std::vector<int> events;
  std::uint64_t hash = 0;
  bool operator==(const Trace&) const = default;
};

Trace busy_program(std::uint64_t seed) {
  Trace trace;
  run(with_seed(seed), [&trace] {
    const auto numbers = make_channel<int>(4);
    const auto results = make_channel<int>();
    Mutex mutex;
    WaitGroup workers;
    for (int worker = 0; worker < 5; ++worker)
      workers.go([&, worker, numbers, results] {
        for (int number : *numbers) {
          Local<Link> list;
          for (int i = 0; i < 200; ++i) list = make<Link>(list, i);
          if (number % 3 == 0) sleep_for(std::chrono::microseconds(number));
          const std::lock_guard guard(mutex);
          trace.events.push_back(worker * 1000 + number);
          safepoint();
        }
        results->send(worker);
      });
    go([numbers] {
      for (int i = 0; i < 100; ++i) numbers->send(i);
      numbers->close();
    });
    Ticker ticker(1ms);
    for (int ended = 0; ended < 5;)
      select(on_receive(results,
                        [&](auto worker) {
                          trace.events.push_back(-*worker);
                          ++ended;
                        }),
             on_receive(ticker.channel(), [&](auto) { trace.events.push_back(-100); }));
    workers.wait();
    collect();
    TaskGroup group;
    for (int i = 0; i < 4; ++i) group.go([&trace, i] { trace.events.push_back(5000 + i); });
    group.wait();
    trace.hash = statistics().schedule_hash;
  });
  return trace;
}

TEST(Simulation, RepeatsItselfForTheSameSeed) {
  std::set<std::uint64_t> schedules;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Trace first = busy_program(seed);
    EXPECT_NE(first.hash, 0u);
    for (int again = 0; again < 2; ++again) EXPECT_EQ(busy_program(seed), first) << "seed " << seed;
    schedules.insert(first.hash);
  }
  EXPECT_EQ(schedules.size(), 20u) << "the seed decides";
}

TEST(Simulation, HasNoHashWithoutASeed) {
  run([] { EXPECT_EQ(statistics().schedule_hash, 0u); });
}

TEST(Simulation, CollectsTheSameEachTime) {
  auto cycles = [](std::uint64_t seed) {
    std::vector<std::uint64_t> seen;
    Options options = with_seed(seed);
    options.collect_every = 3;
    options.poison_freed = true;
    run(options, [&] {
      const auto lists = make_channel<Member<Link>>(2);
      go([lists] {
        for (int k = 0; k < 50; ++k) {
          Local<Link> list;
          for (int i = 0; i < 100; ++i) list = make<Link>(list, i);
          lists->send(list);
        }
        lists->close();
      });
      for (Local<Link> list : *lists) {
        int length = 0;
        for (; list; list = list->next) ++length;
        EXPECT_EQ(length, 100);
      }
      seen = {statistics().cycles, statistics().schedule_hash};
    });
    return seen;
  };
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const auto first = cycles(seed);
    EXPECT_GT(first[0], 0u);
    EXPECT_EQ(cycles(seed), first) << "seed " << seed;
  }
}

TEST(Simulation, HoursPassAtOnce) {
  run(with_seed(1), [] {
    const auto start = this_goroutine::now();
    std::vector<int> order;
    WaitGroup sleepers;
    for (int i : {3, 1, 2})
      sleepers.go([&order, i] {
        sleep_for(std::chrono::hours(100 * i));
        order.push_back(i);
      });
    sleepers.wait();
    EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
    EXPECT_GE(this_goroutine::now() - start, 300h);
    EXPECT_LT(this_goroutine::now() - start, 301h);
    sleep_until(this_goroutine::now() + 24h);
    EXPECT_FALSE(after(1h)->receive() == std::nullopt);
    const auto context = with_timeout(Context::background(), 48h);
    context->done()->receive();
    EXPECT_EQ(context->error(), std::errc::timed_out);
  });
}

TEST(Simulation, TakesTurnsAtPolls) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed)
    run(with_seed(seed), [] {
      std::atomic<bool> stop{false};
      go([&] {
        sleep_for(1us);
        stop = true;
      });
      while (!stop) safepoint();
    });
}

TEST(Simulation, WaitsForTheWorldOutside) {
  run(with_seed(1), [] {
    std::atomic<int> done{0};
    go([&] {
      blocking([] { std::this_thread::sleep_for(20ms); });
      ++done;
    });
    std::thread outside;
    {
      ExternalWaker waker;
      const auto arrived = make_channel<int>();
      Persistent<Channel<int>> kept(arrived);
      outside = std::thread([kept] {
        std::this_thread::sleep_for(20ms);
        post([kept] { kept->send(1); });
      });
      const auto start = std::chrono::steady_clock::now();
      EXPECT_EQ(arrived->receive(), 1);
      EXPECT_GE(std::chrono::steady_clock::now() - start, 10ms);
    }
    outside.join();
    while (done == 0) sleep_for(1ms);
  });
}

TEST(SimulationDeathTest, ReportsADeadlock) {
  EXPECT_EXIT(run(with_seed(3), [] { make_channel<int>()->receive(); }), testing::ExitedWithCode(2), "deadlock");
}

// What it is for: a race that a schedule in so many shows is found by trying seeds, and stays found.
TEST(Simulation, FindsARaceAndFindsItAgain) {
  auto lost_updates = [](std::uint64_t seed) {
    int counter = 0;
    run(with_seed(seed), [&] {
      WaitGroup writers;
      for (int i = 0; i < 2; ++i)
        writers.go([&] {
          const int read = counter;
          safepoint();  // a poll is hidden in most calls of a library
          counter = read + 1;
        });
      writers.wait();
    });
    return 2 - counter;
  };
  std::uint64_t found = 0;
  for (std::uint64_t seed = 1; seed <= 500 && found == 0; ++seed)
    if (lost_updates(seed) != 0) found = seed;
  ASSERT_NE(found, 0u);
  for (int again = 0; again < 5; ++again) EXPECT_EQ(lost_updates(found), 1);
}

}  // namespace
}  // namespace tandem
