#include "lab/workloads/index/glob.h"

#include <gtest/gtest.h>

namespace lab::index {
namespace {

TEST(Glob, NoPatternsMatchEverything) {
  EXPECT_TRUE(Glob({}).matches("a/b.c"));
  EXPECT_TRUE(Glob({}).matches("b"));
}

TEST(Glob, WithoutASlashTheNameCounts) {
  const Glob glob({"*.h", "Makefile"});
  EXPECT_TRUE(glob.matches("x.h"));
  EXPECT_TRUE(glob.matches("deep/down/x.h"));
  EXPECT_TRUE(glob.matches("deep/Makefile"));
  EXPECT_FALSE(glob.matches("x.hpp"));
  EXPECT_FALSE(glob.matches("x.h/y.c"));
}

TEST(Glob, WithASlashTheRelativePathCounts) {
  const Glob glob({"linux/*.h"});
  EXPECT_TRUE(glob.matches("linux/types.h"));
  EXPECT_FALSE(glob.matches("asm/linux.h"));
  EXPECT_FALSE(glob.matches("types.h"));
}

}  // namespace
}  // namespace lab::index
