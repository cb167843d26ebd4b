#include "tandem/context.h"

#include <atomic>
#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tandem/select.h"
#include "tandem/sync.h"
#include "tests/support/run_fixture.h"

namespace tandem {
namespace {

using namespace std::chrono_literals;

class ContextTest : public test::OnProcessors {};
TANDEM_ON_PROCESSORS(ContextTest);

bool is_over(const Local<Context>& context) { return select(on_receive(context->done()), otherwise()) == 0; }

TEST_P(ContextTest, BackgroundIsNeverOver) {
  run_clean([] {
    auto root = Context::background();
    EXPECT_NE(root->done(), nullptr);
    EXPECT_FALSE(is_over(root));
    EXPECT_FALSE(root->error());
    EXPECT_FALSE(root->deadline().has_value());
  });
}

TEST_P(ContextTest, CancelReachesDescendantsAndNoOthers) {
  run_clean([] {
    auto root = Context::background();
    auto parent = with_cancel(root);
    auto a = with_cancel(parent), b = with_cancel(parent);
    auto a1 = with_cancel(a), a2 = with_cancel(a);
    a->cancel();
    a->cancel();
    for (auto context : {a, a1, a2}) {
      EXPECT_TRUE(is_over(context));
      EXPECT_EQ(context->error(), std::errc::operation_canceled);
    }
    for (auto context : {root, parent, b}) EXPECT_FALSE(is_over(context));
    parent->cancel();
    EXPECT_TRUE(is_over(b));
    EXPECT_TRUE(is_over(with_cancel(parent))) << "a child of one that is over is over";
    EXPECT_FALSE(is_over(root));
  });
}

TEST_P(ContextTest, TheErrorIsSetBeforeDoneCloses) {
  run_clean([] {
    for (int i = 0; i < 500; ++i) {
      auto context = with_cancel(Context::background());
      WaitGroup group;
      group.go([=] {
        context->done()->receive();
        EXPECT_TRUE(context->error());
      });
      context->cancel();
      group.wait();
    }
  });
}

TEST_P(ContextTest, ADeadlineEndsItNotEarly) {
  run_clean([] {
    const auto start = std::chrono::steady_clock::now();
    constexpr auto kTimeout = 100ms;  // long enough to look at it in time on a busy machine
    auto context = with_timeout(Context::background(), kTimeout);
    auto child = with_timeout(context, 1h);
    EXPECT_EQ(child->deadline(), context->deadline());
    EXPECT_FALSE(is_over(context));
    child->done()->receive();
    EXPECT_GE(std::chrono::steady_clock::now() - start, kTimeout);
    EXPECT_EQ(child->error(), std::errc::timed_out);
    EXPECT_EQ(context->error(), std::errc::timed_out);
    EXPECT_TRUE(is_over(with_timeout(Context::background(), -1s)));
    auto late = with_deadline(Context::background(), std::chrono::system_clock::now() + 1h);
    EXPECT_TRUE(late->deadline().has_value());
    late->cancel();
    EXPECT_EQ(late->error(), std::errc::operation_canceled);
  });
}

const ContextKey<std::string> name_key;
const ContextKey<int> number_key, other_number_key;
const ContextKey<Local<Array<int>>> array_key;

TEST_P(ContextTest, ValuesAreInherited) {
  run_clean([] {
    auto root = Context::background();
    auto named = with_value(root, name_key, "outer");
    auto array = make_array<int>(2);
    auto both = with_value(with_cancel(with_value(named, number_key, 7)), array_key, array);
    EXPECT_EQ(both->value(name_key), "outer");
    EXPECT_EQ(both->value(number_key), 7);
    EXPECT_EQ(both->value(other_number_key), std::nullopt);
    EXPECT_TRUE(*both->value(array_key) == array);
    EXPECT_EQ(with_value(both, name_key, "inner")->value(name_key), "inner");
    EXPECT_EQ(root->value(name_key), std::nullopt);
  });
}

// Parents and children are ended by several goroutines at once, while more children come.
TEST_P(ContextTest, ConcurrentCancelsEndEverything) {
  run_clean([] {
    for (int round = 0; round < 100; ++round) {
      auto root = with_cancel(Context::background());
      auto over = make_channel<int>(64);
      WaitGroup group;
      for (int i = 0; i < 8; ++i)
        group.go([=] {
          auto child = with_cancel(root);
          auto grandchild = with_timeout(child, i % 2 == 0 ? std::chrono::nanoseconds(1h) : 10us);
          if (i % 3 == 0) child->cancel();
          grandchild->done()->receive();
          EXPECT_TRUE(grandchild->error());
        });
      for (int i = 0; i < round % 5; ++i) yield();
      root->cancel();
      group.wait();
    }
  });
}

// On a stack of 64 KiB, which 2,000 nested calls would overflow.
TEST_P(ContextTest, ADeepChainEndsWithoutRecursion) {
  run_clean([] {
    auto root = with_cancel(Context::background());
    auto leaf = root;
    for (int i = 0; i < 2000; ++i) leaf = with_cancel(leaf);
    auto ended = make_channel<int>();
    go({.stack_size_max = 64 * 1024}, [=] {
      root->cancel();
      ended->close();
    });
    ended->receive();
    EXPECT_TRUE(is_over(leaf));
  });
}

}  // namespace
}  // namespace tandem
