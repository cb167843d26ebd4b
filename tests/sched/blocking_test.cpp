#include <atomic>
#include <cerrno>
#include <stdexcept>
#include <thread>

#include "tests/support/scheduler_fixture.h"

namespace tandem::test {
namespace {

using namespace std::chrono_literals;

class Blocking : public OnProcessors {};
INSTANTIATE_TEST_SUITE_P(Processors, Blocking, test::processor_counts());

TEST_P(Blocking, ReturnsResultsAndPropagatesExceptions) {
  run([] {
    EXPECT_EQ(blocking([] { return 42; }), 42);
    int value = 1;
    int& reference = blocking([&]() -> int& { return value; });
    EXPECT_EQ(&reference, &value);
    EXPECT_THROW(blocking([] { throw std::runtime_error("inside"); }), std::runtime_error);
  });
}

TEST_P(Blocking, OthersGoOnMeanwhile) {
  run([] {
    std::atomic<bool> let_go{false};
    std::atomic<int> steps{0};
    go([&] {
      for (int i = 0; i < 100; ++i) {
        ++steps;
        yield();
      }
      let_go = true;
    });
    // With one processor this hangs unless the processor is taken from this worker.
    blocking([&] {
      while (!let_go) std::this_thread::sleep_for(100us);
    });
    EXPECT_EQ(steps.load(), 100);
  });
}

TEST_P(Blocking, MoreBlockedGoroutinesThanProcessors) {
  static constexpr int kBlocked = 24;
  run([] {
    std::atomic<int> inside{0};
    for (int i = 0; i < kBlocked; ++i)
      go([&] {
        blocking([&] {
          ++inside;
          while (inside < kBlocked) std::this_thread::sleep_for(100us);
        });
      });
    while (goroutine_count() > 1) sleep_for(1ms);
    EXPECT_EQ(inside.load(), kBlocked);
  });
}

TEST_P(Blocking, TimersFireMeanwhile) {
  run([] {
    std::atomic<bool> fired{false};
    go([&] {
      sleep_for(1ms);
      fired = true;
    });
    yield();
    blocking([&] {
      while (!fired) std::this_thread::sleep_for(100us);
    });
  });
}

TEST_P(Blocking, KeepsErrno) {
  run([] {
    for (int i = 0; i < 200; ++i) {
      blocking([i] {
        if (i % 20 == 0) std::this_thread::sleep_for(200us);
        errno = 1000 + i;
      });
      EXPECT_EQ(errno, 1000 + i);
    }
  });
}

TEST_P(Blocking, HandshakesAreAcknowledgedOnItsBehalf) {
  run([] {
    static std::atomic<int> operations{0}, completions{0};
    operations = completions = 0;
    static constexpr seam::HandshakeOperation kCount{"count", [](seam::Processor&) { ++operations; },
                                                     [](seam::Processor&) { ++completions; }};
    std::atomic<int> blocked{0};
    std::atomic<bool> let_go{false};
    const int blockers = static_cast<int>(seam::registry.processor_count) - 1;
    for (int i = 0; i < blockers; ++i)
      go([&] {
        blocking([&] {
          ++blocked;
          while (!let_go) std::this_thread::sleep_for(100us);
        });
      });
    while (blocked < blockers) sleep_for(100us);
    auto& here = *static_cast<seam::Processor*>(seam::current_goroutine()->processor);
    seam::registry.handshake.request(kCount, here);
    wait_until([] { return completions == 1; });
    EXPECT_EQ(operations.load(), static_cast<int>(seam::registry.processor_count));
    let_go = true;
    while (goroutine_count() > 1) sleep_for(1ms);
  });
}

TEST_P(Blocking, StressOfShortAndLongCalls) {
  std::atomic<int> ended{0};
  run([&] {
    for (int i = 0; i < 16; ++i)
      go([&, i] {
        for (int k = 0; k < 100; ++k) {
          blocking([&] {
            if ((i + k) % 10 == 0) std::this_thread::sleep_for(50us);
          });
          if (k % 3 == 0) yield();
        }
        ++ended;
      });
    while (ended < 16) sleep_for(1ms);
  });
}

}  // namespace
}  // namespace tandem::test
