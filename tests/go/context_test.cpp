// What Go's context/context_test.go and its examples check.
#include "tests/go/go_test.h"

#include <deque>
#include <random>
#include <string>
#include <system_error>
#include <vector>

namespace tandem {
namespace {

using namespace test;

class GoContext : public GoTest {};
TANDEM_ON_PROCESSORS(GoContext);

using Ref = Local<Context>;

bool is_over(const Ref& context) { return select(on_receive(context->done()), otherwise()) == 0; }

void expect_running(const Ref& context, const char* name) {
  EXPECT_NE(context->done(), nullptr) << name;
  EXPECT_FALSE(is_over(context)) << name;
  EXPECT_EQ(context->error(), std::error_code()) << name;
}

void expect_over(const Ref& context, std::errc why, const char* name) {
  EXPECT_TRUE(is_over(context)) << name;
  EXPECT_EQ(context->error(), why) << name;
}

void expect_canceled(const Ref& context, const char* name) {
  expect_over(context, std::errc::operation_canceled, name);
}

void expect_timeout(const Ref& context, const char* name) {
  EXPECT_TRUE(closed_in_time(context->done())) << name;
  EXPECT_EQ(context->error(), std::errc::timed_out) << name;
}

const ContextKey<Local<String>> kFirstKey, kSecondKey, kThirdKey;

Ref with_text(const Ref& parent, const ContextKey<Local<String>>& key, const char* text) {
  return with_value(parent, key, make_string(text));
}

TEST_P(GoContext, BackgroundIsNeverOver) {
  run_clean([] { expect_running(Context::background(), "background"); });
}

// At once: when cancel() returns, all that hang below are over, whatever lies between.
TEST_P(GoContext, CancelReachesDescendantsBeforeItReturns) {
  run_clean([] {
    Ref parent = with_cancel(Context::background());
    Ref between = with_text(parent, kFirstKey, "value"), child = with_cancel(between);
    for (const Ref& each : {parent, between, child}) expect_running(each, "before");
    parent->cancel();
    for (const Ref& each : {parent, between, child}) expect_canceled(each, "after");
  });
}

TEST_P(GoContext, AParentEndsItsChildrenOfEachKind) {
  run_clean([] {
    Ref parent = with_cancel(Context::background());
    Ref by_cancel = with_cancel(parent), by_value = with_text(parent, kFirstKey, "value");
    Ref by_time = with_timeout(by_value, 1000h);
    for (const Ref& each : {parent, by_cancel, by_value, by_time}) expect_running(each, "before");
    parent->cancel();
    expect_canceled(parent, "parent");
    expect_canceled(by_cancel, "with_cancel");
    expect_canceled(by_value, "with_value");
    expect_canceled(by_time, "with_timeout");
    expect_canceled(with_text(parent, kFirstKey, "value"), "one that comes later");
  });
}

TEST_P(GoContext, AChildLeavesItsParentRunning) {
  run_clean([] {
    for (const Ref& parent : {Context::background(), with_cancel(Context::background())}) {
      Ref child = with_cancel(parent);
      expect_running(parent, "parent before");
      expect_running(child, "child before");
      child->cancel();
      expect_canceled(child, "child");
      expect_running(parent, "parent");
    }
  });
}

TEST_P(GoContext, DeadlinesEndIt) {
  run_clean([] {
    const Ref root = Context::background();
    expect_timeout(with_deadline(root, Clock::now() + 1ms), "deadline");
    expect_timeout(with_deadline(root, std::chrono::system_clock::now() + 1ms), "deadline of another clock");
    expect_timeout(with_text(with_deadline(root, Clock::now() + 1ms), kFirstKey, "value"), "deadline inherited");
    const Ref inner = with_text(with_deadline(root, Clock::now() + 1ms), kFirstKey, "value");
    expect_timeout(with_deadline(inner, Clock::now() + 1000h), "the parent's deadline is earlier");
    expect_over(with_deadline(root, Clock::now() - 1ms), std::errc::timed_out, "deadline in the past");
    expect_timeout(with_deadline(root, Clock::now()), "deadline now");
  });
}

TEST_P(GoContext, TimeoutsEndItNotEarly) {
  run_clean([] {
    const Ref root = Context::background();
    const auto start = Clock::now();
    const Ref context = with_timeout(root, 3ms);
    expect_timeout(context, "timeout");
    EXPECT_GE(Clock::now() - start, 3ms);
    EXPECT_GE(*context->deadline() - start, 3ms);
    expect_timeout(with_text(with_timeout(root, 1ms), kFirstKey, "value"), "timeout inherited");
    expect_timeout(with_timeout(with_text(with_timeout(root, 1ms), kFirstKey, "value"), 1000h),
                   "the parent's is shorter");
  });
}

TEST_P(GoContext, OneWithATimeoutCanBeCancelledBefore) {
  run_clean([] {
    Ref context = with_timeout(with_text(with_timeout(Context::background(), 1000h), kFirstKey, "value"), 2000h);
    context->cancel();
    expect_canceled(context, "context");
  });
}

TEST_P(GoContext, ValuesAreFoundByKeyAndHiddenByLaterOnes) {
  run_clean([] {
    const auto text = [](const Ref& context, const ContextKey<Local<String>>& key) -> std::string {
      const auto found = context->value(key);
      return !found ? "(none)" : *found == nullptr ? "(null)" : std::string((*found)->view());
    };
    const auto expect = [&](const Ref& context, const char* first, const char* second, const char* third) {
      EXPECT_EQ(text(context, kFirstKey), first);
      EXPECT_EQ(text(context, kSecondKey), second);
      EXPECT_EQ(text(context, kThirdKey), third);
    };
    const Ref c0 = Context::background();
    expect(c0, "(none)", "(none)", "(none)");
    const Ref c1 = with_text(c0, kFirstKey, "one");
    expect(c1, "one", "(none)", "(none)");
    const Ref c2 = with_text(c1, kSecondKey, "two");
    expect(c2, "one", "two", "(none)");
    const Ref c3 = with_text(c2, kThirdKey, "three");
    expect(c3, "one", "two", "three");
    const Ref c4 = with_value(c3, kFirstKey, nullptr);
    expect(c4, "(null)", "two", "three");
    const Ref c5 = with_text(with_cancel(with_timeout(c4, 1h)), kThirdKey, "four");
    expect(c5, "(null)", "two", "four");
    expect(c3, "one", "two", "three");
  });
}

TEST_P(GoContext, CancelsOfAWholeTreeAtOnce) {
  run_clean([] {
    std::mt19937 random(2'075);
    for (int round = 0; round < scaled(20); ++round) {
      std::vector<Persistent<Context>> tree = {with_cancel(Context::background())};
      for (std::size_t next = 0; tree.size() < 100; ++next)
        for (int child = 0; child < 4; ++child) tree.emplace_back(with_cancel(tree[next].get()));
      std::shuffle(tree.begin(), tree.end(), random);
      WaitGroup group;
      for (const auto& each : tree) group.go([context = each.get()] { context->cancel(); });
      std::shuffle(tree.begin(), tree.end(), random);
      for (const auto& each : tree) {
        ASSERT_TRUE(closed_in_time(each->done()));
        EXPECT_EQ(each->error(), std::errc::operation_canceled);
      }
      group.wait();
    }
  });
}

TEST_P(GoContext, AChildMayBeCancelledWhileItsParentIs) {
  run_clean([] {
    for (int round = 0; round < scaled(500); ++round) {
      Ref parent = with_cancel(Context::background()), child = with_cancel(parent);
      go([=] {
        parent->done()->receive();
        child->cancel();
      });
      parent->cancel();
      ASSERT_TRUE(closed_in_time(child->done()));
    }
  });
}

// Contexts of all kinds in random order, one upon the other; the topmost is over when any is, and knows all values.
void stack_layers_and_end_them(unsigned seed, bool by_timeout) {
  std::mt19937 random(seed);
  std::deque<ContextKey<int>> keys;
  std::vector<Persistent<Context>> cancellable;
  int timeouts = 0;
  Ref top = Context::background();
  for (int layer = 0; layer < 30 || timeouts == 0 || cancellable.empty() || keys.empty(); ++layer)
    switch (random() % 3) {
      case 0:
        keys.emplace_back();
        top = with_value(top, keys.back(), static_cast<int>(keys.size()));
        break;
      case 1: cancellable.emplace_back(top = with_cancel(top)); break;
      default:
        cancellable.emplace_back(top = with_timeout(top, by_timeout ? 1ms : std::chrono::milliseconds(1000h)));
        ++timeouts;
    }
  const auto expect_values = [&](const char* when) {
    for (std::size_t i = 0; i < keys.size(); ++i)
      EXPECT_EQ(top->value(keys[i]), static_cast<int>(i) + 1) << when << ", seed " << seed;
  };
  expect_values("before");
  if (by_timeout) {
    expect_timeout(top, "top");
  } else {
    expect_running(top, "top");
    cancellable[random() % cancellable.size()]->cancel();
    expect_canceled(top, "top");
  }
  expect_values("after");
  for (const auto& each : cancellable) each->cancel();
}

TEST_P(GoContext, ThroughManyLayersACancelReachesTheTop) {
  run_clean([] {
    for (unsigned seed = 0; seed < 20; ++seed) stack_layers_and_end_them(seed, false);
  });
}

TEST_P(GoContext, ThroughManyLayersATimeoutReachesTheTop) {
  run_clean([] {
    for (unsigned seed = 0; seed < 20; ++seed) stack_layers_and_end_them(seed, true);
  });
}

/// Bytes that stay reachable when `count` children of `parent` have been made by `make_child` and let go.
template <class MakeChild>
std::uint64_t bytes_kept_by(const Ref& parent, int count, MakeChild make_child) {
  const auto live_bytes = [] {
    collect();
    wait_for_finalizers();
    collect();
    return heap_statistics().live_bytes;
  };
  const std::uint64_t before = live_bytes();
  for (int i = 0; i < count; ++i) make_child(parent);
  const std::uint64_t after = live_bytes();
  EXPECT_FALSE(is_over(parent));
  return after > before ? after - before : 0;
}

TEST_P(GoContext, ACancelledChildLeavesNothingWithItsParent) {
  run_clean([] {
    constexpr int kCount = 2000;  // so many that blocks, which count as a whole, do not matter
    const auto make_running = [](const Ref& parent) { static_cast<void>(with_cancel(parent)); };
    const auto make_cancelled = [](const Ref& parent) { with_cancel(parent)->cancel(); };
    const auto make_cancelled_timeout = [](const Ref& parent) { with_timeout(parent, 1h)->cancel(); };
    const Ref parent = with_cancel(Context::background());
    const std::uint64_t kept = bytes_kept_by(parent, kCount, make_running);
    EXPECT_GT(kept, 64 * static_cast<std::uint64_t>(kCount)) << "children that run stay with their parent";
    EXPECT_LT(bytes_kept_by(parent, kCount, make_cancelled), kept / 10);
    EXPECT_LT(bytes_kept_by(parent, kCount, make_cancelled_timeout), kept / 10);
    parent->cancel();
  });
}

TEST_P(GoContext, AChildOfOneThatIsOverIsOver) {
  run_clean([] {
    Ref parent = with_cancel(Context::background());
    parent->cancel();
    expect_canceled(with_cancel(parent), "with_cancel");
    expect_canceled(with_timeout(parent, 1h), "with_timeout");
  });
}

// Whoever waits for a context costs a goroutine; the tree of contexts itself does not.
TEST_P(GoContext, ContextsStartNoGoroutines) {
  run_clean([] {
    Ref c1 = with_cancel(Context::background()), c2 = with_text(c1, kFirstKey, "value"), c3 = with_cancel(c2);
    Ref c4 = with_timeout(c3, 1000h), c5 = with_cancel(c4);
    EXPECT_EQ(goroutine_count(), 1u);
    c5->cancel();
    EXPECT_EQ(goroutine_count(), 1u);
    Ref c6 = with_timeout(c5, 1000h);
    c6->cancel();
    c1->cancel();
    static_cast<void>(with_cancel(c5));
    EXPECT_EQ(goroutine_count(), 1u);
  });
}

TEST_P(GoContext, AGeneratorLeavesWhenItIsCancelled) {
  run_clean([] {
    Ref context = with_cancel(Context::background());
    auto numbers = make_channel<int>();
    go([=] {
      for (int number = 1; select(on_receive(context->done()), on_send(numbers, number)) == 1;) ++number;
      numbers->close();
    });
    for (int number : *numbers)
      if (number == 5) break;
    context->cancel();
    EXPECT_TRUE(closed_in_time(numbers));
  });
}

TEST(GoContextDeathTest, AParentMustNotBeNull) {
  const auto in_run = [](void (*body)()) {
    Options options;
    options.processors = 1;
    tandem::run(options, body);
  };
  const testing::ExitedWithCode exits(2);
  EXPECT_EXIT(in_run([] { static_cast<void>(with_cancel(nullptr)); }), exits, "null");
  EXPECT_EXIT(in_run([] { static_cast<void>(with_deadline(nullptr, Clock::now())); }), exits, "null");
  EXPECT_EXIT(in_run([] { static_cast<void>(with_text(nullptr, kFirstKey, "value")); }), exits, "null");
}

}  // namespace
}  // namespace tandem
