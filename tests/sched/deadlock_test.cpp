#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "runtime/base/clock.h"
#include "sched/park.h"
#include "tandem/statistics.h"
#include "tests/support/scheduler_fixture.h"

namespace tandem::test {
namespace {

using namespace std::chrono_literals;

void park_for_ever(const char* reason) {
  sched::Goroutine& self = *seam::current_goroutine();
  sched::open_ticket(self);
  sched::park(self, reason, nullptr, nullptr, nullptr);
}

class DeadlockDeathTest : public testing::TestWithParam<std::uint32_t> {
 protected:
  Options options() const {
    Options result;
    result.processors = GetParam();
    return result;
  }
};
INSTANTIATE_TEST_SUITE_P(Processors, DeadlockDeathTest, testing::Values(1u, 4u));

TEST_P(DeadlockDeathTest, AllAsleepIsReportedWithEveryGoroutine) {
  EXPECT_EXIT(run_scheduler(options(),
                            [] {
                              go({.name = "lonely"}, [] { park_for_ever("something that never comes"); });
                              sleep_for(5ms);
                              park_for_ever("the end");
                            }),
              testing::ExitedWithCode(2),
              "fatal: all goroutines are asleep - deadlock!(.|\n)*goroutine [0-9]+ .main. .the end(.|\n)*"
              "goroutine [0-9]+ \"lonely\" .something that never comes");
}

TEST_P(DeadlockDeathTest, BlockingCallsThatLostTheirProcessorAreNoExcuse) {
  EXPECT_EXIT(run_scheduler(options(),
                            [] {
                              std::atomic<int> calls{0};
                              for (int i = 0; i < 8; ++i)
                                go([&] {
                                  for (int k = 0; k < 5; ++k) blocking([] { std::this_thread::sleep_for(1ms); });
                                  ++calls;
                                });
                              while (calls < 8) yield();
                              park_for_ever("the end");
                            }),
              testing::ExitedWithCode(2), "deadlock!");
}

TEST_P(DeadlockDeathTest, TheEndOfTheLastExternalWakerIsLookedAt) {
  EXPECT_EXIT(run_scheduler(options(),
                            [] {
                              auto waker = std::make_unique<ExternalWaker>();
                              std::thread([kept = std::move(waker)] { std::this_thread::sleep_for(50ms); }).detach();
                              park_for_ever("the other thread");
                            }),
              testing::ExitedWithCode(2), "deadlock!");
}

class Foreign : public OnProcessors {};
INSTANTIATE_TEST_SUITE_P(Processors, Foreign, test::processor_counts());

TEST_P(Foreign, PostStartsGoroutinesOnlyWhileRunning) {
  std::atomic<int> runs{0};
  EXPECT_FALSE(post([&] { ++runs; }));
  std::vector<std::thread> threads;
  std::atomic<int> posted{0};
  run([&] {
    const ExternalWaker waker;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        for (int k = 0; k < 500; ++k) posted += post([&] { ++runs; });
      });
    while (runs < 2000) sleep_for(1ms);
  });
  EXPECT_FALSE(post([&] { ++runs; }));
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(posted.load(), 2000);
  EXPECT_EQ(runs.load(), 2000);
}

TEST_P(Foreign, PostRacesWithTheEnd) {
  for (int round = 0; round < 10; ++round) {
    auto alive = std::make_shared<int>(0);
    std::atomic<bool> stop{false};
    std::thread thread([&] {
      while (!stop) post([alive] {});
    });
    run([] { sleep_for(2ms); });
    stop = true;
    thread.join();
    EXPECT_EQ(alive.use_count(), 1);
  }
}

TEST_P(Foreign, PostWakesASleepingProgram) {
  run([] {
    sched::Goroutine& self = *seam::current_goroutine();
    auto waker = std::make_unique<ExternalWaker>();
    const std::uint64_t ticket = sched::open_ticket(self);
    std::thread thread([&] {
      std::this_thread::sleep_for(10ms);
      EXPECT_TRUE(post([&] {
        ASSERT_TRUE(sched::claim(self, ticket));
        sched::ready(self, sched::processor_of(*seam::current_goroutine()));
      }));
    });
    sched::park(self, "a post", nullptr, nullptr, nullptr);
    thread.join();
  });
}

TEST_P(Foreign, DumpNamesEveryGoroutine) {
  std::FILE* const file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  run([&] {
    std::atomic<seam::Goroutine*> sleeper{nullptr};
    go({.name = "sleeper"}, [&] {
      sleeper = seam::current_goroutine();
      sleep_for(1h);
    });
    std::atomic<bool> stop{false};
    if (GetParam() > 1)
      go({.name = "spinner"}, [&] {
        while (!stop) safepoint();
      });
    // Until the sleeper sleeps: that takes as long as its thread is kept waiting by others.
    wait_until([&] {
      const seam::Goroutine* const goroutine = sleeper.load();
      return goroutine != nullptr && goroutine->state.load() == seam::kWaiting;
    });
    dump_goroutines(file);
    stop = true;
    wait_until([] { return goroutine_count() == 2; });
  });
  std::string content(static_cast<std::size_t>(std::ftell(file)), '\0');
  std::rewind(file);
  content.resize(std::fread(content.data(), 1, content.size(), file));
  std::fclose(file);
  EXPECT_NE(content.find("\"sleeper\" [sleep"), std::string::npos) << content;
  EXPECT_NE(content.find("(main) [running"), std::string::npos) << content;
  if (GetParam() > 1) {
    EXPECT_NE(content.find("\"spinner\""), std::string::npos) << content;
  }
}

TEST(ForeignDeathTest, SigquitPrintsTheDump) {
  Options options;
  options.processors = 2;
  EXPECT_EXIT(
      {
        run_scheduler(options, [] {
          std::atomic<seam::Goroutine*> sleeper{nullptr};
          go({.name = "sleeper"}, [&] {
            sleeper = seam::current_goroutine();
            sleep_for(1h);
          });
          wait_until([&] { return sleeper != nullptr && sleeper.load()->state == seam::kWaiting; });
          std::raise(SIGQUIT);
          sleep_for(200ms);
        });
        std::_Exit(0);
      },
      testing::ExitedWithCode(0), "\"sleeper\" .sleep");
}

}  // namespace
}  // namespace tandem::test
