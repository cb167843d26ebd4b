#include "runtime/base/assert.h"

#include <cstdio>
#include <gtest/gtest.h>
#include <string>
#include <unistd.h>

namespace tandem::base {
namespace {

TEST(AssertDeathTest, CheckNamesPlaceConditionAndMessage) {
  TANDEM_CHECK(1 + 1 == 2, "arithmetic holds");
  EXPECT_DEATH(TANDEM_CHECK(1 + 1 == 3, "three is not two"),
               "assert_test.cpp:[0-9]+: check failed: three is not two \\(1 \\+ 1 == 3\\)");
}

TEST(AssertDeathTest, AssertIsForDebugChecksOnly) {
  int evaluated = 0;
  TANDEM_ASSERT(++evaluated > 0);
#if defined(TANDEM_DEBUG_CHECKS) && TANDEM_DEBUG_CHECKS
  EXPECT_EQ(evaluated, 1);
  EXPECT_DEATH(TANDEM_ASSERT(evaluated == 2), "check failed");
#else
  EXPECT_EQ(evaluated, 0);
#endif
}

TEST(AssertDeathTest, FatalPrintsAndExitsWithStatusTwo) {
  EXPECT_EXIT(fatal("%s holds %d locks", "goroutine 7", 3), testing::ExitedWithCode(2),
              "^fatal: goroutine 7 holds 3 locks\n$");
  EXPECT_EXIT(fatal_from_signal("number %d", 4), testing::ExitedWithCode(2), "^fatal: number 4\n$");
}

TEST(AssertDeathTest, FatalFlushesStdout) {
  // stdout joins stderr, which the death test reads.
  const auto die = [] {
    dup2(2, 1);
    setvbuf(stdout, nullptr, _IOFBF, 4096);
    std::printf("printed before");
    fatal("the end");
  };
  EXPECT_EXIT(die(), testing::ExitedWithCode(2), "fatal: the end\nprinted before");
}

TEST(AssertDeathTest, FatalCutsWhatIsTooLong) {
  const std::string text(5000, 'x');
  EXPECT_EXIT(fatal("%s", text.c_str()), testing::ExitedWithCode(2), "^fatal: x+\n$");
}

}  // namespace
}  // namespace tandem::base
