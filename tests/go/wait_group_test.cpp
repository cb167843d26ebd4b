// What Go's sync/waitgroup_test.go checks.
#include "tests/go/go_test.h"

#include <array>

namespace tandem {
namespace {

using namespace test;

class GoWaitGroup : public GoTest {};
TANDEM_ON_PROCESSORS(GoWaitGroup);

// Nobody leaves before the last done(), all leave after it; and both groups serve again and again.
TEST_P(GoWaitGroup, ReleasesAllAfterTheLastDoneAndServesAgain) {
  run_clean([] {
    constexpr int kCount = 16;
    WaitGroup started, released;
    for (int round = 0; round < 8; ++round) {
      auto left = make_channel<bool>(kCount);
      started.add(kCount);
      released.add(kCount);
      for (int i = 0; i < kCount; ++i)
        go([=, &started, &released] {
          started.done();
          released.wait();
          left->send(true);
        });
      started.wait();
      for (int i = 0; i < kCount; ++i) {
        yield();
        EXPECT_EQ(left->size(), 0u) << "released before the last done()";
        released.done();
      }
      for (int i = 0; i < kCount; ++i) left->receive();
    }
  });
}

TEST_P(GoWaitGroup, WaitReturnsAfterTheWorkNotBefore) {
  run_clean([] {
    const int rounds = scaled(5000);
    int incomplete = 0;
    for (int round = 0; round < rounds; ++round) {
      WaitGroup group;
      std::atomic<int> done{0};
      for (int i = 0; i < 2; ++i) {
        group.add();
        go([&] {
          ++done;
          group.done();
        });
      }
      group.wait();
      incomplete += done != 2;
    }
    EXPECT_EQ(incomplete, 0);
  });
}

TEST_P(GoWaitGroup, GoCountsWhatItStarts) {
  run_clean([] {
    const int rounds = scaled(1000);
    for (int round = 0; round < rounds; ++round) {
      WaitGroup group;
      std::atomic<int> ran{0};
      for (int i = 0; i < 2; ++i) group.go([&] { ++ran; });
      group.wait();
      ASSERT_EQ(ran, 2);
    }
  });
}

// Go had to align its counters by hand where a group follows a smaller field.
TEST_P(GoWaitGroup, MayFollowASmallField) {
  run_clean([] {
    struct {
      char before = 1;
      WaitGroup group;
    } object;
    object.group.add();
    go([&] { object.group.done(); });
    object.group.wait();
    EXPECT_EQ(object.before, 1);
  });
}

TEST(GoWaitGroupDeathTest, MoreDonesThanAddsAreAFatalError) {
  const auto misuse = [] {
    Options options;
    options.processors = 1;
    tandem::run(options, [] {
      WaitGroup group;
      group.add(1);
      group.done();
      group.done();
    });
  };
  EXPECT_EXIT(misuse(), testing::ExitedWithCode(2), "fatal: .*negative WaitGroup counter");
}

}  // namespace
}  // namespace tandem
