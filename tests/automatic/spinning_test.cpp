// Compiled with tandem::automatic_safepoints: loops without a poll of their own. Without it each of these hangs.

#include <atomic>
#include <chrono>
#include <cstdint>

#include <gtest/gtest.h>

#include "tandem/tandem.h"
#include "tests/support/run_fixture.h"

namespace tandem {
namespace {

using namespace std::chrono_literals;

class AutomaticSafepoints : public test::OnProcessors {};
TANDEM_ON_PROCESSORS(AutomaticSafepoints);

[[gnu::noinline]] std::uint64_t spin_until(const std::atomic<bool>& stop) {
  std::uint64_t turns = 0;
  while (!stop.load(std::memory_order_relaxed)) ++turns;
  return turns;
}

TEST_P(AutomaticSafepoints, LetOthersRunBesideALoop) {
  run_clean([] {
    std::atomic<bool> stop{false};
    go([&] { stop = true; });
    spin_until(stop);
  });
}

TEST_P(AutomaticSafepoints, LetALoopInALambdaBeInterrupted) {
  run_clean([] {
    std::atomic<bool> stop{false};
    WaitGroup spinners;
    for (std::uint32_t i = 0; i < 2 * GetParam(); ++i)
      spinners.go([&] {
        while (!stop.load(std::memory_order_relaxed)) {
        }
      });
    sleep_for(1ms);
    stop = true;
    spinners.wait();
  });
}

TEST_P(AutomaticSafepoints, LetCyclesEnd) {
  run_clean([] {
    std::atomic<bool> stop{false};
    WaitGroup spinners;
    for (std::uint32_t i = 0; i < GetParam(); ++i) spinners.go([&] { spin_until(stop); });
    for (int i = 0; i < 10; ++i) collect();
    EXPECT_GE(statistics().cycles, 10u);
    stop = true;
    spinners.wait();
  });
}

TEST_P(AutomaticSafepoints, LeaveBlockingCallsAlone) {
  run_clean([] {
    std::atomic<bool> stop{false};
    WaitGroup group;
    group.go([&] { blocking([&] { spin_until(stop); }); });
    for (int i = 0; i < 20; ++i) {
      collect();
      sleep_for(100us);
    }
    stop = true;
    group.wait();
  });
}

struct MovesSlowly {
  std::uint64_t value = 0;
  MovesSlowly() = default;
  explicit MovesSlowly(std::uint64_t v) : value(v) {}
  MovesSlowly(MovesSlowly&& other) noexcept : value(other.value) {
    for (int i = 0; i < 20; ++i) asm volatile("" ::: "memory");  // blocks of its own, under the channel's lock
  }
  MovesSlowly& operator=(MovesSlowly&&) = delete;
  ~MovesSlowly() {
    for (int i = 0; i < 20; ++i) asm volatile("" ::: "memory");
  }
};

}  // namespace

template <>
struct is_leaf<MovesSlowly> : std::true_type {};

namespace {

TEST_P(AutomaticSafepoints, DoNotDivideAChannelOperation) {
  run_clean([] {
    for (const std::size_t capacity : {0u, 1u, 8u}) {
      const auto channel = make_channel<MovesSlowly>(capacity);
      constexpr std::uint64_t kItems = 2000;
      WaitGroup senders;
      for (std::uint32_t i = 0; i < GetParam() + 1; ++i)
        senders.go([=] {
          for (std::uint64_t k = 1; k <= kItems; ++k) channel->send(MovesSlowly(k));
        });
      go([&] {
        senders.wait();
        channel->close();
      });
      std::uint64_t sum = 0;
      while (auto item = channel->receive()) sum += item->value;
      EXPECT_EQ(sum, (GetParam() + 1) * kItems * (kItems + 1) / 2);
    }
  });
}

}  // namespace
}  // namespace tandem
