// What a goroutine keeps when others run in between: exceptions, errno, its stack's depth; and how it is preempted.
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <exception>
#include <stdexcept>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include "tests/support/scale.h"
#include "tests/support/scheduler_fixture.h"

namespace tandem::test {
namespace {

using namespace std::chrono_literals;

class Switch : public OnProcessors {};
INSTANTIATE_TEST_SUITE_P(Processors, Switch, test::processor_counts());

TEST_P(Switch, ExceptionsStayWithTheirGoroutine) {
  std::atomic<int> ended{0};
  run([&] {
    for (int i = 0; i < 50; ++i)
      go([&, i] {
        for (int k = 0; k < 20; ++k) {
          const std::string expected = std::to_string(i) + "/" + std::to_string(k);
          try {
            throw std::runtime_error(expected);
          } catch (const std::runtime_error& error) {
            yield();
            if (k % 5 == 0) sleep_for(10us);
            EXPECT_EQ(error.what(), expected);
            try {
              std::rethrow_exception(std::current_exception());
            } catch (const std::runtime_error& again) {
              yield();
              EXPECT_EQ(again.what(), expected);
            }
          }
          EXPECT_EQ(std::current_exception(), nullptr);
          EXPECT_EQ(std::uncaught_exceptions(), 0);
        }
        ++ended;
      });
    while (ended < 50) sleep_for(1ms);
  });
}

TEST_P(Switch, UncaughtCountSurvivesParkingInDestructors) {
  struct Parks {
    ~Parks() {
      const int before = std::uncaught_exceptions();
      yield();
      sleep_for(10us);
      EXPECT_EQ(std::uncaught_exceptions(), before);
      EXPECT_EQ(before, 1);
    }
  };
  std::atomic<int> ended{0};
  run([&] {
    for (int i = 0; i < 50; ++i)
      go([&] {
        try {
          Parks parks;
          throw 1;
        } catch (int) {
        }
        ++ended;
      });
    while (ended < 50) sleep_for(1ms);
  });
}

[[gnu::noinline]] void set_errno(int value) { errno = value; }
[[gnu::noinline]] int get_errno() { return errno; }

TEST_P(Switch, ErrnoStaysWithItsGoroutine) {
  std::atomic<int> ended{0};
  run([&] {
    for (int i = 1; i <= 50; ++i)
      go([&, i] {
        for (int k = 0; k < 50; ++k) {
          set_errno(i * 100 + k);
          yield();
          EXPECT_EQ(get_errno(), i * 100 + k);
        }
        ++ended;
      });
    while (ended < 50) sleep_for(1ms);
  });
}

int depth_sum(int depth) {
  volatile char frame[1024];
  frame[0] = static_cast<char>(depth);
  if (depth == 0) {
    yield();
    return 0;
  }
  return ensure_stack(16 << 10, [&] { return depth_sum(depth - 1); }) + 1 + (frame[0] & 0);
}

int overflow(int depth) {
  volatile char frame[4096];
  frame[0] = static_cast<char>(depth);
  return depth == 0 ? 0 : overflow(depth - 1) + frame[0];
}

TEST_P(Switch, EnsureStackGoesDeeperThanTheLimit) {
  std::atomic<int> ended{0};
  run([&] {
    for (int i = 0; i < 4; ++i)
      go([&] {
        EXPECT_EQ(depth_sum(2'000), 2'000);  // 2 MB and more, on stacks of 256 KiB
        ++ended;
      });
    while (ended < 4) sleep_for(1ms);
    EXPECT_THROW(ensure_stack(16 << 20, []() -> int { throw std::runtime_error("deep"); }), std::runtime_error);
    int value = 0;
    EXPECT_EQ(&ensure_stack(16 << 20, [&]() -> int& { return value; }), &value);
    ensure_stack(16 << 20, [] { EXPECT_THROW(ensure_stack(std::size_t{2} << 30, [] {}), std::bad_alloc); });
  });
}

TEST_P(Switch, SegmentsCoverAllFramesForTheScan) {
  run([] {
    int outer_local = 0;
    ensure_stack(16 << 20, [&] {
      const seam::Goroutine& self = *seam::current_goroutine();
      const auto* const address = reinterpret_cast<std::byte*>(&outer_local);
      ASSERT_NE(self.segments, nullptr);
      EXPECT_EQ(self.segments->outer, nullptr);
      EXPECT_LE(self.segments->scan_from, address);
      EXPECT_GT(self.segments->scan_to, address);
      int inner_local = 0;
      EXPECT_GT(self.stack_base, reinterpret_cast<std::byte*>(&inner_local));
      EXPECT_LE(self.stack.low, reinterpret_cast<std::byte*>(&inner_local));
    });
    EXPECT_EQ(seam::current_goroutine()->segments, nullptr);
  });
}

TEST_P(Switch, ComputingGoroutinesArePreemptedAtPolls) {
  run([&] {
    std::atomic<bool> stop{false};
    for (std::uint32_t i = 0; i < 2 * GetParam(); ++i)
      go([&] {
        while (!stop) safepoint();
      });
    for (int i = 0; i < 3; ++i) yield();  // comes back although the others never yield
    stop = true;
    wait_until([] { return goroutine_count() == 1; });
  });
}

TEST_P(Switch, ZealYieldsAtEveryPoll) {
  Options zealous = options();
  zealous.yield_every_poll = true;
  zealous.steal_always = true;
  run_scheduler(zealous, [] {
    std::atomic<int> turns{0};
    for (int i = 0; i < 4; ++i)
      go([&] {
        for (int k = 0; k < 100; ++k) {
          safepoint();
          ++turns;
        }
      });
    while (turns < 400) safepoint();
  });
}

TEST_P(Switch, CollectorWorkIsDoneByIdleAndByRunningProcessors) {
  FakeCollector collector;
  run_scheduler(options(), collector, nullptr, [&] {
    collector.work_units = 50;
    seam::registry.scheduler->wake_for_collector_work(GetParam());
    while (collector.has_work()) safepoint();  // this processor computes: its share comes by requests
    if (GetParam() == 1) {
      EXPECT_EQ(collector.calls[static_cast<int>(seam::WorkKind::kFractional)].load(), 50u);
    }
    collector.work_units = 20;
    while (collector.has_work()) sleep_for(1ms);
    EXPECT_GT(collector.calls[static_cast<int>(seam::WorkKind::kIdle)].load(), 0u);
  });
}

// A handshake whose completion begins a stop and requests another one: who acknowledges both at one safepoint is held too.
TEST_P(Switch, WhoAcknowledgesAHandshakeOfAStopIsHeld) {
  static std::atomic<std::uint64_t> progress, moved_while_stopped, stops;
  progress = moved_while_stopped = stops = 0;
  static constexpr seam::HandshakeOperation kStopped{"stopped", [](seam::Processor&) {},
                                                     [](seam::Processor&) {
                                                       const std::uint64_t before = progress;
                                                       const auto end = std::chrono::steady_clock::now() + 50us;
                                                       while (std::chrono::steady_clock::now() < end) base::cpu_relax();
                                                       moved_while_stopped += progress - before;
                                                       seam::registry.world_stop.end();
                                                       ++stops;
                                                     }};
  static constexpr seam::HandshakeOperation kStop{"stop", [](seam::Processor&) {},
                                                  [](seam::Processor& here) {
                                                    seam::registry.world_stop.begin();
                                                    seam::registry.handshake.request(kStopped, here);
                                                  }};
  run([] {
    const auto rounds = scaled<std::uint64_t>(50, 10);
    std::atomic<bool> over{false};
    for (std::uint32_t i = std::min(seam::registry.processor_count, 3U); i > 0; --i)
      go([&] {
        while (!over) {
          for (int step = 0; step < 100; ++step) ++progress;
          safepoint();
        }
      });
    for (std::uint64_t round = 1; round <= rounds; ++round) {
      seam::registry.handshake.request(kStop, sched::processor_of(*seam::current_goroutine()));
      wait_until([&] { return stops == round; });
    }
    over = true;
    wait_until([] { return goroutine_count() == 1; });
  });
  EXPECT_EQ(moved_while_stopped.load(), 0u);
}

TEST_P(Switch, ParkUntilWaitsForItsCondition) {
  run([] {
    static std::atomic<int> stage{0};
    stage = 0;
    std::atomic<int> ended{0};
    auto at_least = [](void* wanted) { return stage.load() >= *static_cast<int*>(wanted); };
    int wanted[3] = {1, 2, 3};
    for (int& stage_wanted : wanted)
      go([&, at_least] {
        seam::registry.scheduler->park_until(at_least, &stage_wanted, "test stage");
        EXPECT_GE(stage.load(), stage_wanted);
        ++ended;
      });
    for (int i = 1; i <= 3; ++i) {
      sleep_for(1ms);
      stage = i;
      seam::registry.scheduler->recheck_waiters();
      while (ended < i) sleep_for(100us);
      EXPECT_EQ(ended.load(), i);
    }
  });
}

/// In the child of a death test, whose stderr is a file: computes, without a safepoint, until something has been reported.
void await_report() {
  const auto end = std::chrono::steady_clock::now() + 20s;
  struct ::stat file{};
  while (file.st_size == 0 && std::chrono::steady_clock::now() < end) ::fstat(STDERR_FILENO, &file);
}

/// In the child of a death test: a run that reports soon, and the end of the process.
template <class Body>
[[noreturn]] void run_reporting(std::uint32_t processors, Body body) {
  Options options;
  options.processors = processors;
  options.safepoint_report = std::chrono::milliseconds(50);
  run_scheduler(options, body);
  std::_Exit(0);
}

TEST(SwitchDeathTest, ProcessorWithoutSafepointIsReported) {
  EXPECT_EXIT(run_reporting(2,
                            [] {
                              std::atomic<bool> done{false};
                              go({.name = "deaf"}, [&] {
                                await_report();
                                done = true;
                              });
                              while (!done) sleep_for(1ms);
                            }),
              testing::ExitedWithCode(0), "reached no safepoint for .* it runs goroutine [0-9]+ \"deaf\"");
}

TEST(SwitchDeathTest, WhoLostTheProcessorInABlockingCallIsNotReportedForIt) {
  const auto body = [] {
    std::atomic<bool> inside{false}, reported{false};
    std::atomic<int> done{0};
    go({.name = "innocent"}, [&] {
      blocking([&] {
        inside = true;
        while (!reported) std::this_thread::sleep_for(1ms);
      });
      ++done;
    });
    while (!inside) sleep_for(1ms);
    go({.name = "deaf"}, [&] {
      await_report();
      reported = true;
      ++done;
    });
    while (done < 2) sleep_for(1ms);
  };
  EXPECT_EXIT(run_reporting(1, body), testing::ExitedWithCode(0),
              "^tandem: processor 0 has [^\n]* it runs goroutine [0-9]+ \"deaf\"");
}

TEST(SwitchDeathTest, StackOverflowNamesTheGoroutine) {
  Options options;
  options.processors = 1;
  EXPECT_EXIT(run_scheduler(options,
                            [] {
                              go({.name = "deep"}, [] { overflow(1'000'000); });
                              sleep_for(10s);
                            }),
              testing::ExitedWithCode(2), "deep");
}

}  // namespace
}  // namespace tandem::test
