// Stacks grow to their limit, and what a deep call has left behind is given back.

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>

#include <gtest/gtest.h>

#include "tandem/tandem.h"
#include "tests/support/run_fixture.h"
#include "tests/support/scale.h"

namespace tandem {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

class StackMemoryTest : public test::OnProcessors {};
TANDEM_ON_PROCESSORS(StackMemoryTest);

/// Without allocating: under AddressSanitizer what is freed stays resident, and who polls this would wait for ever.
std::size_t resident_bytes() {
  char text[128] = {};
  const int file = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  EXPECT_GT(::read(file, text, sizeof text - 1), 0);
  ::close(file);
  unsigned long all = 0, resident = 0;
  EXPECT_EQ(std::sscanf(text, "%lu %lu", &all, &resident), 2);
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

/// Goes down until `bytes` of stack are in use.
[[gnu::noinline]] std::size_t descend(std::uintptr_t end) {
  volatile char room[2000];
  room[0] = 1;
  room[1999] = 1;
  if (reinterpret_cast<std::uintptr_t>(&room[0]) <= end) return 1;
  return descend(end) + static_cast<std::size_t>(room[1999]);
}
std::size_t use_stack(std::size_t bytes) {
  const char here = 0;
  return descend(reinterpret_cast<std::uintptr_t>(&here) - bytes);
}

TEST_P(StackMemoryTest, AStackGrowsToItsLimit) {
  run_clean([] {
    const std::size_t limit = test::scaled(std::size_t{1024}, std::size_t{64}) * kMiB;
    const std::size_t before = resident_bytes();
    std::size_t deep = 0;
    WaitGroup group;
    group.add();
    go(GoOptions{.stack_size_max = limit}, [&, limit] {
      use_stack(limit - limit / 8);
      deep = resident_bytes();
      group.done();
    });
    group.wait();
    EXPECT_GT(deep, before + limit / 2);
    // It ends a moment after done(). ThreadSanitizer keeps what it knows of the memory.
    if (detail::kThreadSanitizer) return;
    EXPECT_TRUE(test::eventually([&] { return resident_bytes() < before + limit / 4; }));
  });
}

TEST_P(StackMemoryTest, CyclesGiveBackWhatParkedGoroutinesHaveUsed) {
  run_clean([] {
    constexpr std::size_t kGoroutines = 200, kUsed = 160 << 10;
    const auto gate = make_channel<int>();
    WaitGroup deep, ended;
    deep.add(kGoroutines);
    for (std::size_t i = 0; i < kGoroutines; ++i)
      ended.go([&deep, gate] {
        use_stack(kUsed);
        deep.done();
        gate->receive();
      });
    deep.wait();
    const std::size_t before = resident_bytes();
    for (int cycle = 0; cycle < 17; ++cycle) collect();  // one in sixteen a cycle
    EXPECT_LT(resident_bytes(), before - kGoroutines * kUsed / 2);
    gate->close();
    ended.wait();
  });
}

}  // namespace
}  // namespace tandem
