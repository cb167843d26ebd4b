// What Go's runtime/proc_test.go checks of the scheduler.
#include "tests/go/go_test.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace tandem {
namespace {

using namespace test;

class GoScheduling : public GoTest {};
TANDEM_ON_PROCESSORS(GoScheduling);

/// Waits without a single poll, for a condition that another goroutine makes true; false when it has not for a minute.
/// The thread lets other threads run, since there may be more processors than the machine has.
template <class Condition>
bool spin_until(Condition condition) {
  const auto end = Clock::now() + kHung;
  while (!condition()) {
    if (Clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

// Go: collections against changes of GOMAXPROCS, which here stays as it is, while goroutines start one another.
TEST_P(GoScheduling, CollectionsAndGoroutinesThatStartEachOtherGoOn) {
  for (const auto stop : {Options::Stop::ragged, Options::Stop::stop_the_world}) {
    Options options;
    options.processors = processors();
    options.stop = stop;
    tandem::run(options, [] {
      const int collections = scaled(20);
      std::atomic<bool> over{false};
      std::atomic<int> generations{0};
      struct Perpetual {
        std::atomic<bool>& over;
        std::atomic<int>& generations;
        void operator()() const {
          ++generations;
          if (!over) go(*this);
        }
      };
      go(Perpetual{over, generations});
      WaitGroup collectors;
      for (int i = 0; i < 2; ++i)
        collectors.go([=] {
          for (int round = 0; round < collections; ++round) collect();
        });
      collectors.wait();
      EXPECT_TRUE(eventually([&] { return generations > 1; }));
      over = true;
      EXPECT_TRUE(eventually([] { return goroutine_count() == 1; }));
    });
  }
}

TEST_P(GoScheduling, OneThatYieldsLetsOthersProgress) {
  run_clean([] {
    auto stop = make_channel<bool>(), stopped = make_channel<bool>();
    go([=] {
      while (select(on_receive(stop), otherwise([] { yield(); })) != 0) {
      }
      stopped->send(true);
    });
    sleep_for(5ms);
    stop->send(true);
    EXPECT_EQ(stopped->receive(), true);
  });
}

/// Each of P goroutines waits, without a poll, for the one before it: this ends only if all run at the same time.
struct Relay {
  explicit Relay(int count) : runners(count) {}
  void run(int runner) {
    for (int lap = 0; lap < 3; ++lap) {
      const int mine = runners * lap + runner;
      if (!spin_until([&] { return baton == mine; })) {
        ADD_FAILURE() << "runner " << runner << " of " << runners << " waits for another one that does not run";
        return;
      }
      baton = mine + 1;
    }
  }
  const int runners;
  std::atomic<int> baton{0};
};

TEST_P(GoScheduling, AsManyGoroutinesAsProcessorsRunAtTheSameTime) {
  const int runners = static_cast<int>(processors());
  run_clean([=] {
    for (int round = 0; round < 5; ++round) {
      Relay relay(runners);
      WaitGroup group;
      for (int runner = 0; runner < runners; ++runner) group.go([&, runner] { relay.run(runner); });
      group.wait();
    }
  });
}

// The same, started by one another, while the workers of the goroutines before are going to sleep.
TEST_P(GoScheduling, NestedGoroutinesRunAtTheSameTimeRightAfterALoad) {
  const int runners = static_cast<int>(processors());
  run_clean([=] {
    for (int round = 0; round < 5; ++round) {
      std::atomic<int> running{0};
      WaitGroup load;
      for (int i = 0; i < runners; ++i)
        load.go([&] {
          ++running;
          EXPECT_TRUE(spin_until([&] { return running == runners; }));
        });
      load.wait();

      Relay relay(runners);
      WaitGroup group;
      for (int pair = 0; pair < (runners + 1) / 2; ++pair)
        group.go([&, pair] {
          for (int runner = 2 * pair; runner < std::min(2 * pair + 2, runners); ++runner)
            group.go([&, runner] { relay.run(runner); });
        });
      group.wait();
    }
  });
}

// Two goroutines keep this one busy over a channel; a timer that is due must come through.
TEST_P(GoScheduling, BusyChannelsDoNotStarveTimers) {
  run_clean([] {
    auto busy = make_channel<bool>(), over = make_channel<bool>();
    WaitGroup group;
    for (int i = 0; i < 2; ++i)
      group.go([=] {
        while (select(on_send(busy, true), on_receive(over)) == 0) {
        }
      });
    auto timer = after(20ms);
    const auto end = Clock::now() + kHung;
    while (select(on_receive(busy), on_receive(timer)) == 0 && Clock::now() < end) {
    }
    EXPECT_LT(Clock::now(), end) << "the timer has not fired";
    over->close();
    group.wait();
  });
}

TEST_P(GoScheduling, ShortSystemCallsDoNotStarveTimers) {
  run_clean([] {
    auto busy = make_channel<bool>();
    WaitGroup group;
    std::atomic<int> timed_out{0};
    for (int i = 0; i < 2; ++i)
      group.go([=, &timed_out] {
        auto timer = after(20ms), leave_alone = after(40ms);
        const auto end = Clock::now() + kHung;
        std::size_t taken = 0;
        while (taken < 2 && Clock::now() < end) {
          blocking([] { std::fputs("", stderr); });
          taken = select(on_send(busy, true), on_receive(busy), on_receive(timer));
        }
        timed_out += taken == 2;
        leave_alone->receive();
      });
    group.wait();
    EXPECT_EQ(timed_out, 2);
  });
}

// They wait for each other, polling: with one processor each turn ends with a slice.
TEST_P(GoScheduling, AGoroutineThatPollsIsPreempted) {
  run_clean([] {
    const int turns = 5;
    std::atomic<int> turn{0};
    WaitGroup group;
    for (int me = 0; me < 2; ++me)
      group.go([&, me] {
        for (int i = 0; i < turns; ++i) {
          while (turn != me) safepoint();
          turn = 1 - me;
        }
      });
    group.wait();
    EXPECT_EQ(turn, 0);
  });
}

// One more processor than spinning goroutines in Go; here also fewer.
TEST_P(GoScheduling, ACollectionGetsThroughToGoroutinesThatPoll) {
  run_clean([] {
    std::atomic<bool> over{false};
    WaitGroup group;
    for (int i = 0; i < 4; ++i)
      group.go([&] {
        while (!over) safepoint();
      });
    const auto before = heap_statistics().cycles;
    for (int i = 0; i < 3; ++i) {
      yield();
      collect();
    }
    EXPECT_GE(heap_statistics().cycles - before, 3u);
    over = true;
    group.wait();
  });
}

// Goroutines in system calls all the time, and one that sleeps.
TEST_P(GoScheduling, SystemCallsDoNotStarveASleeper) {
  run_clean([] {
    std::atomic<bool> over{false};
    WaitGroup group;
    for (int i = 0; i < 2; ++i)
      group.go([&] {
        std::unique_ptr<std::FILE, int (*)(std::FILE*)> null(std::fopen("/dev/null", "w"), &std::fclose);
        while (!over)
          blocking([&] {
            std::fputs(".", null.get());
            std::fflush(null.get());
          });
      });
    sleep_for(10ms);
    over = true;
    group.wait();
  });
}

// With collections without a pause each of the goroutines that allocate gets on.
TEST_P(GoScheduling, TheCollectorStarvesNoGoroutine) {
  Options options;
  options.processors = processors();
  options.gc_percent = 5;
  tandem::run(options, [] {
    std::array<std::atomic<int>, 3> count{};
    std::atomic<bool> over{false};
    WaitGroup group;
    for (auto& mine : count)
      group.go([&] {
        for (; !over; ++mine) static_cast<void>(make_array<char>(256));
      });
    const auto all_have_run = [&] {
      return std::all_of(count.begin(), count.end(), [](auto& each) { return each > 0; });
    };
    for (const auto end = Clock::now() + kHung; !all_have_run() && Clock::now() < end;) sleep_for(10ms);
    EXPECT_TRUE(all_have_run()) << count[0] << ", " << count[1] << ", " << count[2];
    over = true;
    group.wait();
  });
}

TEST_P(GoScheduling, GoroutinesAreCounted) {
  run_clean([] {
    EXPECT_EQ(goroutine_count(), 1u);
    auto hold = make_channel<bool>();
    for (int i = 0; i < 5; ++i) go([=] { hold->receive(); });
    EXPECT_EQ(goroutine_count(), 6u);
    hold->close();
    EXPECT_TRUE(eventually([] { return goroutine_count() == 1; }));
  });
}

TEST_P(GoScheduling, TheDumpShowsAsManyGoroutinesAsAreCounted) {
  run_clean([] {
    auto hold = make_channel<bool>();
    for (int i = 0; i < 5; ++i) go([=] { hold->receive(); });
    let_others_run();
    char* text = nullptr;
    std::size_t length = 0;
    std::FILE* const file = ::open_memstream(&text, &length);
    dump_goroutines(file);
    std::fclose(file);
    const std::string dump(text, length);
    std::free(text);
    std::size_t headings = 0;
    for (std::size_t at = dump.find("goroutine "); at != std::string::npos; at = dump.find("\ngoroutine ", at + 1))
      ++headings;
    EXPECT_EQ(headings, goroutine_count()) << dump;
    hold->close();
  });
}

// Two pairs hand a token to and fro on one processor, one after much work, one after little. A pair keeps the processor
// for its slice, so both get about the same; if each hand-over went to the end of the queue, the hogs would get 1,000
// times as much.
TEST(GoSchedulingOnOneProcessor, PairsThatPingPongShareTheProcessor) {
  Options options;
  options.processors = 1;
  tandem::run(options, [] {
    auto over = make_channel<bool>(), hogs = make_channel<bool>(), lights = make_channel<bool>();
    volatile long hog_count = 0, light_count = 0;
    const auto play = [=](int work, volatile long& counter, const Local<Channel<bool>>& token) {
      while (select(on_receive(over), on_receive(token)) == 1) {
        for (int i = 0; i < work; ++i) counter = counter + 1;
        if (select(on_receive(over), on_send(token, true)) == 0) return;
      }
    };
    WaitGroup group;
    for (int i = 0; i < 2; ++i) {
      group.go([&, hogs] { play(1'000'000, hog_count, hogs); });
      group.go([&, lights] { play(1'000, light_count, lights); });
    }
    hogs->send(true);
    lights->send(true);
    sleep_for(200ms);
    over->close();
    group.wait();
    EXPECT_LT(hog_count / 20, light_count);
    EXPECT_LT(light_count / 20, hog_count);
  });
}

// Eight goroutines in one short system call after the other: the ninth, which tells them to stop, comes to run.
TEST_P(GoScheduling, ManyShortSystemCallsLetOthersRun) {
  run_clean([] {
    constexpr int kGoroutines = 8;
    for (const auto duration : {10us, 100us, 1000us}) {
      auto started = make_channel<bool>(kGoroutines);
      std::atomic<bool> over{false};
      WaitGroup group;
      for (int i = 0; i < kGoroutines; ++i)
        group.go([=, &over] {
          started->send(true);
          while (!over)
            blocking([=] {
              const auto end = Clock::now() + duration;
              while (Clock::now() < end) {
              }
            });
        });
      for (int i = 0; i < kGoroutines; ++i) EXPECT_TRUE(receive_in_time(started)) << duration.count() << " us";
      over = true;
      group.wait();
    }
  });
}

TEST(GoSchedulingOnManyProcessors, TheLargestNumberOfProcessorsStarts) {
  Options options;
  options.processors = 256;
  EXPECT_EQ(tandem::run(options, [] { return 7; }), 7);
  options.processors = 1024;
  EXPECT_THROW(tandem::run(options, [] {}), std::invalid_argument);
}

}  // namespace
}  // namespace tandem
