#include <atomic>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>

#include "tests/support/scheduler_fixture.h"

namespace tandem::test {
namespace {

class Spawn : public OnProcessors {};
INSTANTIATE_TEST_SUITE_P(Processors, Spawn, test::processor_counts());

TEST_P(Spawn, RunsEveryGoroutineOnce) {
  constexpr int kGoroutines = 20'000;
  std::atomic<int> runs{0};
  run([&] {
    for (int i = 0; i < kGoroutines; ++i) go([&] { runs.fetch_add(1); });
    wait_until([&] { return runs.load() == kGoroutines; });
    wait_until([] { return goroutine_count() == 1; });
  });
  EXPECT_EQ(runs.load(), kGoroutines);
}

struct Counter {
  std::atomic<int> value{0};
  void add(int amount) { value += amount; }
};

void add_both(int& target, std::unique_ptr<int> first, int second) { target = *first + second; }

TEST_P(Spawn, TakesAnyCallableAndDecaysArguments) {
  Counter counter;
  int sum = 0;
  std::string seen;
  std::atomic<int> ended{0};
  run([&] {
    go(&Counter::add, &counter, 5);
    go(add_both, std::ref(sum), std::make_unique<int>(3), 4);
    char text[] = "decayed";
    go([&](std::string value) { seen = value; }, text);  // kept as a pointer, converted when called
    go([&, owned = std::make_unique<int>(7)] {
      counter.add(*owned);
      ended = 1;
    });
    wait_until([] { return goroutine_count() == 1; });
  });
  EXPECT_EQ(counter.value.load(), 12);
  EXPECT_EQ(sum, 7);
  EXPECT_EQ(seen, "decayed");
  EXPECT_EQ(ended.load(), 1);
}

TEST_P(Spawn, LargeClosuresAreAllocated) {
  std::array<int, 500> numbers{};
  numbers.fill(2);
  std::atomic<int> sum{0};
  run([&] {
    go([&, numbers] {
      int total = 0;
      for (int number : numbers) total += number;
      sum = total;
    });
    wait_until([&] { return sum.load() != 0; });
  });
  EXPECT_EQ(sum.load(), 1000);
}

struct ThrowsOnCopy {
  ThrowsOnCopy() = default;
  ThrowsOnCopy(const ThrowsOnCopy&) { throw std::runtime_error("copy"); }
  void operator()() const {}
};

TEST_P(Spawn, ThrowingConstructorGivesTheDescriptorBack) {
  run([] {
    const ThrowsOnCopy callable;
    for (int i = 0; i < 1000; ++i) EXPECT_THROW(go(callable), std::runtime_error);
    EXPECT_EQ(goroutine_count(), 1u);
  });
}

TEST_P(Spawn, DestroysClosuresAndIdsAreUnique) {
  auto alive = std::make_shared<int>(1);
  std::mutex mutex;
  std::set<std::uint64_t> ids;
  run([&] {
    for (int i = 0; i < 1000; ++i)
      go([&, alive] {
        const std::lock_guard guard(mutex);
        EXPECT_TRUE(ids.insert(this_goroutine::id()).second);
      });
    wait_until([] { return goroutine_count() == 1; });
  });
  EXPECT_EQ(ids.size(), 1000u);
  EXPECT_EQ(alive.use_count(), 1);
  EXPECT_EQ(this_goroutine::id(), 0u);
}

TEST_P(Spawn, ExceptionOfMainLeavesRun) {
  EXPECT_THROW(run([] { throw std::logic_error("main"); }), std::logic_error);
}

TEST_P(Spawn, CanRunAgain) {
  for (int i = 0; i < 5; ++i) run([] { go([] {}); });
}

TEST_P(Spawn, OnUnhandledReplacesTermination) {
  static std::atomic<int> reports{0};
  reports = 0;
  Options with_handler = options();
  with_handler.on_unhandled = [](const Options::Unhandled& unhandled) noexcept {
    EXPECT_STREQ(unhandled.goroutine_name, "thrower");
    EXPECT_THROW(std::rethrow_exception(unhandled.exception), std::runtime_error);
    ++reports;
  };
  run_scheduler(with_handler, [] {
    go({.name = "thrower"}, [] { throw std::runtime_error("left"); });
    wait_until([] { return goroutine_count() == 1; });
  });
  EXPECT_EQ(reports.load(), 1);
}

TEST_P(Spawn, BirthDuringACycleIsScannedBirthBeforeIsNot) {
  FakeCollector collector;
  run_scheduler(options(), collector, nullptr, [&] {
    seam::collector_clock.root_round = 7;
    auto round_of = [] { return seam::current_goroutine()->scanned_round.load(); };
    std::atomic<std::uint64_t> before{99}, during{99};
    seam::collector_clock.phase = seam::Phase::kBlack;
    go([&] { before = round_of(); });
    seam::collector_clock.phase = seam::Phase::kRoots;
    go([&] { during = round_of(); });
    seam::collector_clock.phase = seam::Phase::kIdle;
    wait_until([] { return goroutine_count() == 1; });
    EXPECT_EQ(before.load(), 0u);
    EXPECT_EQ(during.load(), 7u);
  });
}

using SpawnDeathTest = Spawn;

TEST(SpawnDeathTest, UnhandledExceptionIsReportedWithNameAndWhat) {
  Options options;
  options.processors = 2;
  EXPECT_DEATH(run_scheduler(options,
                             [] {
                               go({.name = "thrower"}, [] { throw std::runtime_error("the reason"); });
                               sleep_for(std::chrono::seconds(10));
                             }),
               "goroutine [0-9]+ \"thrower\" was terminated by an exception of type std::runtime_error: the reason");
}

TEST(SpawnDeathTest, GoOnAThreadIsRefused) {
  EXPECT_EXIT(go([] {}), testing::ExitedWithCode(2), "tandem::go was called on a thread that runs no goroutine");
}

}  // namespace
}  // namespace tandem::test
