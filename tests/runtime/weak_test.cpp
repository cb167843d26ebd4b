// Weak references and cleanups: null exactly when the object is gone, called exactly once after it is.
#include "tests/runtime/heap_test.h"
#include "tests/support/scale.h"

#include <array>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using tandem::Local;
using tandem::make;
using tandem::Member;
using tandem::WeakMember;
using tandem::WeakPersistent;
using tandem_test::Canary;
using tandem_test::churn;
using tandem_test::Counted;

class WeakTest : public tandem_test::HeapTest {};
TANDEM_TEST_OVER_PROCESSORS(WeakTest);

struct Observer {
  WeakMember<Canary> seen;
  std::array<WeakMember<Canary>, 2> more;
  void trace(tandem::Visitor& visit) const {
    visit(seen);
    visit(more);
  }
};

/// Makes an object that only `observer` and the result know of, out of line, so that no root of it is left.
[[gnu::noinline]] WeakPersistent<Canary> make_observed(const Local<Observer>& observer, std::uint64_t number) {
  const Local<Canary> canary = make<Canary>(number);
  observer->seen = canary;
  observer->more[1] = canary;
  return WeakPersistent<Canary>(canary);
}

TEST_P(WeakTest, LockGivesTheObjectAsLongAsItIsReachable) {
  run(zealous(), [] {
    const auto observer = make<Observer>();
    EXPECT_FALSE(observer->seen.lock());
    Local<Canary> canary = make<Canary>(7);
    observer->seen = canary;
    const WeakPersistent<Canary> outside(canary);
    for (int i = 0; i < 3; ++i) {
      churn();
      EXPECT_EQ(observer->seen.lock(), canary);
      EXPECT_EQ(outside.lock(), canary);
      EXPECT_TRUE(outside.lock()->is(7));
    }
  });
}

TEST_P(WeakTest, IsNullOnceTheObjectHasBeenCollected) {
  run(zealous(), [] {
    const auto observer = make<Observer>();
    const WeakPersistent<Canary> outside = make_observed(observer, 7);
    const WeakMember<Canary>& copied = observer->more[0] = observer->seen;
    tandem_test::use_stack();
    churn();
    EXPECT_FALSE(observer->seen.lock());
    EXPECT_FALSE(copied.lock());
    EXPECT_FALSE(observer->more[1].lock());
    EXPECT_FALSE(outside.lock());
  });
}

TEST_P(WeakTest, IsFollowedByAnotherWhenItIsAssigned) {
  run([] {
    const auto observer = make<Observer>();
    const auto first = make<Canary>(1), second = make<Canary>(2);
    observer->seen = first;
    observer->seen = second;
    EXPECT_EQ(observer->seen.lock(), second);
    observer->seen = nullptr;
    EXPECT_FALSE(observer->seen.lock());
    observer->seen = observer->more[0];
    EXPECT_FALSE(observer->seen.lock());
    WeakPersistent<Canary> outside(first);
    WeakPersistent<Canary> moved(std::move(outside));
    EXPECT_EQ(moved.lock(), first);
    moved.reset();
    EXPECT_FALSE(moved.lock());
  });
}

struct Left {
  std::uint64_t left = 1;
};
struct Right {
  std::uint64_t right = 2;
};
struct Both : Left, Right {
  Member<Canary> canary;
  void trace(tandem::Visitor& visit) const { visit(canary); }
};

TEST_P(WeakTest, RefersToABaseAtAnotherAddress) {
  run([] {
    Local<Both> both = make<Both>();
    const WeakPersistent<Left> left(both);
    const WeakPersistent<Right> right(both);
    churn();
    ASSERT_TRUE(left.lock() && right.lock());
    EXPECT_EQ(left.lock()->left, 1u);
    EXPECT_EQ(right.lock()->right, 2u);
    both = nullptr;
    tandem_test::use_stack();
    churn();
    EXPECT_FALSE(left.lock());
    EXPECT_FALSE(right.lock());
  });
}

TEST_P(WeakTest, ManyAreToldApart) {
  run([] {
    const std::uint64_t kObjects = tandem::test::scaled<std::uint64_t>(20'000);
    std::vector<tandem::Persistent<Canary>> kept;
    std::vector<WeakPersistent<Canary>> weak;
    for (std::uint64_t i = 0; i < kObjects; ++i) {
      const auto canary = make<Canary>(i);
      weak.emplace_back(canary);
      if (i % 2 == 0) kept.emplace_back(canary);
    }
    tandem::collect();
    for (int round = 0; round < 3; ++round) {
      std::uint64_t alive = 0;
      for (std::uint64_t i = 0; i < kObjects; ++i) {
        const Local<Canary> canary = weak[i].lock();
        if (canary) alive += canary->is(i);
        EXPECT_TRUE(canary || i % 2 == 1);
      }
      EXPECT_LE(alive, kept.size() + 1);  // the last one may still lie in a register
      EXPECT_GE(alive, kept.size());
      tandem::collect();
    }
  });
}

TEST_P(WeakTest, LargeObjectsToo) {
  run([] {
    Local<tandem::Array<std::uint64_t>> large = tandem::make_array<std::uint64_t>(100'000);
    const WeakPersistent<tandem::Array<std::uint64_t>> weak(large);
    churn();
    EXPECT_EQ(weak.lock(), large);
    large = nullptr;
    tandem_test::use_stack();
    churn();
    EXPECT_FALSE(weak.lock());
  });
}

struct Mortal {
  static inline WeakPersistent<Mortal>* watched = nullptr;
  static inline std::atomic<int> gone{0}, seen_alive{0};
  Mortal() = default;
  ~Mortal() {
    ++gone;
    if (watched->lock()) ++seen_alive;
  }
  void trace(tandem::Visitor&) const {}
};

TEST_P(WeakTest, IsNullBeforeTheDestructorRuns) {
  Mortal::gone = Mortal::seen_alive = 0;
  WeakPersistent<Mortal> weak;
  Mortal::watched = &weak;
  run([&] {
    [&]() __attribute__((noinline)) { weak = WeakPersistent<Mortal>(make<Mortal>()); }();
    tandem_test::use_stack();
    churn();
    tandem::wait_for_finalizers();
    EXPECT_EQ(Mortal::gone, 1);
    EXPECT_EQ(Mortal::seen_alive, 0);
  });
}

TEST_P(WeakTest, IsNullAfterTheRun) {
  WeakPersistent<Canary> weak;
  run([&] {
    static tandem::Persistent<Canary> kept;
    kept = make<Canary>(1);
    weak = WeakPersistent<Canary>(kept);
    EXPECT_TRUE(weak.lock());
  });
  run([&] { EXPECT_FALSE(weak.lock()); });
}

TEST_P(WeakTest, MayBeCopiedAndDestroyedByAnyThread) {
  run([] {
    const auto canary = make<Canary>(3);
    const WeakPersistent<Canary> weak(canary);
    std::vector<WeakPersistent<Canary>> copies;
    tandem::blocking([&] {
      std::thread([&] {
        for (int i = 0; i < 100; ++i) copies.push_back(weak);
        copies.resize(50);
      }).join();
    });
    churn();
    for (const auto& copy : copies) EXPECT_EQ(copy.lock(), canary);
  });
}

// -- Cleanups.

struct Log {
  std::mutex lock;
  std::vector<std::string> lines;
  void add(std::string line) {
    const std::lock_guard guard(lock);
    lines.push_back(std::move(line));
  }
};

struct Logged {
  Log* log;
  explicit Logged(Log* to) : log(to) {}
  Logged(const Logged&) = delete;
  ~Logged() { log->add("destructor"); }
  void trace(tandem::Visitor&) const {}
};

[[gnu::noinline]] void make_logged(Log& log) {
  const auto object = make<Logged>(&log);
  tandem::add_cleanup(object, [&log] { log.add("first cleanup"); });
  tandem::add_cleanup(object, [&log, owned = std::make_unique<int>(1)] {
    tandem::yield();
    static_cast<void>(make<Canary>(1));
    log.add("second cleanup");
  });
}

TEST_P(WeakTest, CleanupsRunInOrderAfterTheDestructor) {
  run([] {
    Log log;
    make_logged(log);
    tandem_test::use_stack();
    churn();
    tandem::wait_for_finalizers();
    EXPECT_EQ(log.lines, (std::vector<std::string>{"destructor", "first cleanup", "second cleanup"}));
    churn();
    tandem::wait_for_finalizers();
    EXPECT_EQ(log.lines.size(), 3u);
  });
}

struct Thrown {
  static inline std::vector<std::string> reports;  // "goroutine's name: what"
  static void report(const tandem::Options::Unhandled& unhandled) noexcept {
    try {
      std::rethrow_exception(unhandled.exception);
    } catch (const std::exception& error) {
      reports.push_back(std::string(unhandled.goroutine_name) + ": " + error.what());
    }
  }
};

TEST_P(WeakTest, AnExceptionEndsTheCleanupThatItLeavesAndNoOther) {
  Thrown::reports.clear();
  tandem::Options reporting = options();
  reporting.on_unhandled = &Thrown::report;
  std::vector<std::string> ran;
  run(reporting, [&ran] {
    [&ran]() __attribute__((noinline)) {
      const auto object = make<Canary>(1);
      tandem::add_cleanup(object, [] { throw std::runtime_error("the first"); });
      tandem::add_cleanup(object, [] { throw tandem::Cancelled(); });
      tandem::add_cleanup(object, [&ran] { ran.push_back("the second"); });
    }();
    tandem_test::use_stack();
    churn();
    tandem::wait_for_finalizers();
    EXPECT_EQ(ran, std::vector<std::string>{"the second"});
    const auto kept = make<Canary>(2);
    tandem::add_cleanup(kept, [] { throw std::runtime_error("at the end"); });
    tandem::add_cleanup(kept, [&ran] { ran.push_back("the last"); });
    EXPECT_TRUE(kept->is(2));
  });
  EXPECT_EQ(ran, (std::vector<std::string>{"the second", "the last"}));
  ASSERT_EQ(Thrown::reports.size(), 2u);
  EXPECT_EQ(Thrown::reports[0], "finalizer: the first");
  EXPECT_NE(Thrown::reports[1].find("at the end"), std::string::npos);
}

TEST_P(WeakTest, CleanupsWaitUntilTheObjectIsGone) {
  std::atomic<int> cleaned{0};
  run([&] {
    const auto canary = make<Canary>(1);
    tandem::add_cleanup(canary, [&] { ++cleaned; });
    for (int i = 0; i < 3; ++i) churn();
    tandem::wait_for_finalizers();
    EXPECT_EQ(cleaned, 0);
    EXPECT_TRUE(canary->is(1));
  });
  EXPECT_EQ(cleaned, 1) << "those that are left run at the end of the run";
}

TEST_P(WeakTest, CleanupsMayHoldPersistents) {
  run([] {
    std::atomic<std::uint64_t> value{0};
    [&]() __attribute__((noinline)) {
      tandem::Persistent<Canary> heir = make<Canary>(9);
      tandem::add_cleanup(make<Canary>(1), [heir, &value] { value = heir->value; });
    }();
    tandem_test::use_stack();
    churn();
    tandem::wait_for_finalizers();
    EXPECT_EQ(value, 9u);
  });
}

TEST_P(WeakTest, EveryCleanupRunsOnceUnderZeal) {
  run(zealous(), [this] {
    const std::uint64_t kObjects = tandem::test::scaled<std::uint64_t>(500);
    std::atomic<std::uint64_t> cleaned{0};
    tandem::WaitGroup group;
    for (std::uint32_t g = 0; g < processors(); ++g)
      group.go([&] {
        for (std::uint64_t i = 0; i < kObjects; ++i) tandem::add_cleanup(make<Counted>(), [&] { ++cleaned; });
      });
    group.wait();
    tandem_test::use_stack();
    tandem::collect();
    tandem::collect();
    tandem::wait_for_finalizers();
    EXPECT_GE(cleaned + processors() + 1, processors() * kObjects);  // a few may still lie in registers
    EXPECT_LE(cleaned, processors() * kObjects);
  });
}

TEST(WeakDeathTest, ACleanupForNullIsRefused) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_EXIT(tandem::run([] { tandem::add_cleanup(Local<Canary>(), [] {}); }), testing::ExitedWithCode(2),
              "add_cleanup was called with a null reference");
}

}  // namespace
