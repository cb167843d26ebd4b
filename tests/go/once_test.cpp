// What Go's sync/once_test.go checks.
#include "tests/go/go_test.h"

#include <stdexcept>

namespace tandem {
namespace {

using namespace test;

class GoOnce : public GoTest {};
TANDEM_ON_PROCESSORS(GoOnce);

TEST_P(GoOnce, RunsOnceAndEveryCallReturnsAfterIt) {
  run_clean([] {
    const int rounds = scaled(300);
    for (int round = 0; round < rounds; ++round) {
      Once once;
      int runs = 0;
      WaitGroup group;
      for (int i = 0; i < 10; ++i)
        group.go([&] {
          once.call([&] {
            if (round % 2 == 0) yield();
            ++runs;
          });
          EXPECT_EQ(runs, 1);
        });
      group.wait();
      EXPECT_EQ(runs, 1);
    }
  });
}

// Where Go takes a function that panicked for done, Tandem does as std::call_once: the next call runs its own.
TEST_P(GoOnce, AfterAnExceptionTheNextCallRuns) {
  run_clean([] {
    Once once;
    int runs = 0;
    EXPECT_THROW(once.call([&] {
      ++runs;
      throw std::runtime_error("failed");
    }),
                 std::runtime_error);
    once.call([&] { ++runs; });
    once.call([&] { ++runs; });
    EXPECT_EQ(runs, 2);
  });
}

}  // namespace
}  // namespace tandem
