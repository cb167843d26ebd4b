#include <atomic>
#include <cstring>
#include <gtest/gtest.h>
#include <string>
#include <sys/mman.h>
#include <system_error>
#include <unistd.h>
#include <vector>

#include "runtime/base/backtrace.h"
#include "runtime/base/bits.h"
#include "runtime/base/os_memory.h"
#include "runtime/base/os_thread.h"

namespace tandem::base {
namespace {

bool is_resident(std::byte* page) {
  unsigned char state = 0;
  EXPECT_EQ(mincore(page, page_bytes(), &state), 0);
  return (state & 1) != 0;
}

TEST(OsMemory, ReservesAlignedCommitsAndGivesBack) {
  constexpr std::size_t kBytes = std::size_t{8} << 20;
  std::byte* memory = reserve(kBytes, kBytes, Access::none);
  ASSERT_NE(memory, nullptr);
  EXPECT_TRUE(is_aligned(memory, kBytes));
  ASSERT_TRUE(commit(memory, 4 * page_bytes()));
  std::memset(memory, 1, 4 * page_bytes());
  EXPECT_TRUE(is_resident(memory + page_bytes()));
  EXPECT_TRUE(decommit(memory + page_bytes(), page_bytes()));
  EXPECT_FALSE(is_resident(memory + page_bytes()));
  EXPECT_TRUE(is_resident(memory));
  EXPECT_EQ(memory[page_bytes()], std::byte{0});
  release(memory, kBytes);
}

TEST(OsMemory, AnswersNullWhenThereIsNoAddressSpace) {
  EXPECT_EQ(reserve(std::size_t{1} << 62, page_bytes(), Access::none), nullptr);
  EXPECT_EQ(reserve(~std::size_t{0}, page_bytes(), Access::none), nullptr);
  EXPECT_EQ(reserve(0, page_bytes(), Access::none), nullptr);
}

TEST(OsThread, RunsWithItsNameAndStack) {
  Thread thread;
  std::string name(16, '\0');
  std::size_t stack_bytes = 0;
  thread.start("a name of twenty-two", [&] {
    pthread_getname_np(pthread_self(), name.data(), name.size());
    const void *low, *high;
    ASSERT_TRUE(thread_stack_bounds(&low, &high));
    stack_bytes = static_cast<std::size_t>(static_cast<const char*>(high) - static_cast<const char*>(low));
  });
  EXPECT_TRUE(thread.joinable());
  thread.join();
  EXPECT_FALSE(thread.joinable());
  EXPECT_STREQ(name.c_str(), "a name of twent");
  EXPECT_GE(stack_bytes, kThreadStackBytes / 2);
}

TEST(OsThread, SaysWhenThereIsNone) {
  Thread thread;
  EXPECT_THROW(thread.start("tiny", [] {}, 1), std::system_error);  // a stack of one byte is refused
  EXPECT_FALSE(thread.joinable());
}

// Not static, so that the dynamic symbol table could name it; the checks below do not rely on that.
[[gnu::noinline]] std::size_t collect_deep(int depth, void** pcs, std::size_t capacity) {
  if (depth > 0) {
    const std::size_t count = collect_deep(depth - 1, pcs, capacity);
    asm volatile("" ::: "memory");  // no tail call
    return count;
  }
  const void *low, *high;
  EXPECT_TRUE(thread_stack_bounds(&low, &high));
  return capture_backtrace(current_frame(), low, high, pcs, capacity);
}

TEST(Backtrace, FollowsFramePointersWithinBoundsAndCapacity) {
  void* pcs[64];
  const std::size_t shallow = collect_deep(0, pcs, 64);
  EXPECT_GE(shallow, 1u);
  const std::size_t deep = collect_deep(10, pcs, 64);
  EXPECT_GE(deep, shallow + 10);
  EXPECT_EQ(pcs[1], pcs[2]);  // the recursion returns to the same place
  EXPECT_EQ(collect_deep(10, pcs, 3), 3u);
}

TEST(Backtrace, StopsAtWildFramePointers) {
  struct Frame {
    const void* caller;
    const void* return_address;
  };
  Frame stack[4] = {};
  const auto walk = [&] {
    void* pcs[8];
    return capture_backtrace({&stack[0], nullptr}, stack, stack + 4, pcs, 8);
  };
  int code = 0;
  for (const void* wild :
       {static_cast<const void*>(nullptr), static_cast<const void*>(&stack[0]), static_cast<const void*>(stack + 4),
        reinterpret_cast<const void*>(0x7ffffff1), static_cast<const void*>(reinterpret_cast<char*>(&stack[1]) + 4)}) {
    stack[0] = {wild, &code};
    EXPECT_EQ(walk(), 1u) << wild;
  }
  stack[0] = {&stack[1], &code};
  stack[1] = {&stack[3], &code};
  stack[3] = {nullptr, nullptr};
  EXPECT_EQ(walk(), 2u);
}

TEST(Backtrace, PrintsOneLineAFrameWithNameOrModule) {
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  void* pcs[] = {reinterpret_cast<void*>(&std::memcmp), reinterpret_cast<void*>(std::uintptr_t{16})};
  print_backtrace(pipe_ends[1], pcs, 2);
  close(pipe_ends[1]);
  char text[2048] = {};
  ASSERT_GT(read(pipe_ends[0], text, sizeof text - 1), 0);
  close(pipe_ends[0]);
  EXPECT_NE(std::string(text).find("#0 "), std::string::npos) << text;
  EXPECT_NE(std::string(text).find("#1  0x10\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace tandem::base
