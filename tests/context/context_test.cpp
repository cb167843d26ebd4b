#include "runtime/context/context.h"

#include <array>
#include <cfenv>
#include <cstdint>
#include <cstdlib>
#include <gtest/gtest.h>
#include <memory>
#include <stdexcept>
#include <string>
#include <unwind.h>

#include "runtime/base/backtrace.h"
#include "runtime/base/bits.h"
#include "tests/context/fiber.h"

namespace tandem::context {
namespace {

TEST(Context, SwitchesThereAndBack) {
  Fiber fiber;
  int turns = 0;
  fiber.start([&] {
    for (int i = 0; i < 1000; ++i) {
      ++turns;
      fiber.yield();
    }
  });
  for (int i = 1; i <= 1000; ++i) {
    fiber.resume();
    ASSERT_EQ(turns, i);
  }
  fiber.resume();
  EXPECT_TRUE(fiber.done());
}

TEST(Context, PassesTheArgumentOnAnAlignedStackWhateverTheTop) {
  for (std::size_t offset = 0; offset < 64; offset += 8) {
    Fiber fiber(offset);
    std::uintptr_t frame = 1;
    bool vector_store_works = false;
    fiber.start([&] {
      alignas(16) volatile char local[16] = {};
      frame = reinterpret_cast<std::uintptr_t>(&local) % 16;
      // printf of a double stores vector registers by aligned moves; a misaligned stack faults.
      char text[32];
      std::snprintf(text, sizeof text, "%.2f", 1.25 + local[0]);
      vector_store_works = std::string(text) == "1.25";
    });
    fiber.resume();
    EXPECT_EQ(frame, 0u);
    EXPECT_TRUE(vector_store_works);
  }
}

// Many live values of each kind on both sides of an inlined switch: what the compiler keeps in registers must
// survive.
enum class Side { inside, outside, alone };

template <Side side, typename T>
[[gnu::noinline]] T mix(Fiber* fiber, T seed) {
  T a = seed + 1, b = seed + 2, c = seed + 3, d = seed + 4, e = seed + 5, f = seed + 6, g = seed + 7;
  for (int i = 0; i < 50; ++i) {
    if constexpr (side == Side::inside) fiber->yield_inline();
    if constexpr (side == Side::outside) fiber->resume_inline();
    a += b;
    b += c;
    c += d;
    d += e;
    e += f;
    f += g;
    g += seed;
  }
  return a + b + c + d + e + f + g;
}

template <typename T>
void expect_kept() {
  Fiber fiber;
  T inside{};
  fiber.start([&] { inside = mix<Side::inside>(&fiber, T(3)); });
  const T outside = mix<Side::outside>(&fiber, T(5));
  fiber.resume();
  ASSERT_TRUE(fiber.done());
  EXPECT_EQ(inside, mix<Side::alone>(&fiber, T(3)));
  EXPECT_EQ(outside, mix<Side::alone>(&fiber, T(5)));
}

TEST(Context, KeepsIntegersFloatsAndExtendedFloats) {
  expect_kept<std::uint64_t>();
  expect_kept<float>();
  expect_kept<double>();
  expect_kept<long double>();
}

// A file-static variable that both sides change, whose address nobody takes: g++ 12 at -O2 without
// -fno-ipa-reference concludes that the function with the switch leaves it alone, and keeps the old value.
int file_static = 0;

[[gnu::noinline]] int count_changes_seen(Fiber& fiber) {
  int seen = 0;
  for (int i = 0; i < 10; ++i) {
    const int before = file_static;
    fiber.resume();
    if (file_static == before + 1) ++seen;
    ++file_static;
  }
  return seen;
}

TEST(Context, SeesChangesOfFileStaticVariables) {
  Fiber fiber;
  fiber.start([&] {
    for (int i = 0; i < 10; ++i) {
      ++file_static;
      fiber.yield();
    }
  });
  EXPECT_EQ(count_changes_seen(fiber), 10);
  EXPECT_EQ(+file_static, 20);
  fiber.resume();
}

TEST(Context, ThrowsAndCatchesOnItsOwnStack) {
  Fiber fiber;
  int caught = 0, destroyed = 0;
  struct Guard {
    int& count;
    ~Guard() { ++count; }
  };
  fiber.start([&] {
    for (int i = 0; i < 10; ++i) {
      try {
        Guard guard{destroyed};
        fiber.yield();
        throw std::runtime_error(std::to_string(i));
      } catch (const std::runtime_error& error) {
        if (error.what() == std::to_string(i)) ++caught;
      }
    }
  });
  while (!fiber.done()) fiber.resume();
  EXPECT_EQ(caught, 10);
  EXPECT_EQ(destroyed, 10);
}

TEST(ContextDeathTest, AnExceptionWithoutHandlerTerminates) {
  EXPECT_DEATH(
      {
        Fiber fiber;
        fiber.start_raw([](void*) { throw std::runtime_error("nobody catches this"); });
        fiber.resume();
      },
      "nobody catches this");
}

TEST(Context, TableUnwindingStopsAtTheEntry) {
  Fiber fiber;
  int frames = 0;
  _Unwind_Reason_Code end = _URC_NO_REASON;
  fiber.start([&] {
    end = _Unwind_Backtrace(
        [](_Unwind_Context*, void* count) {
          return ++*static_cast<int*>(count) > 100 ? _URC_NORMAL_STOP : _URC_NO_REASON;
        },
        &frames);
  });
  fiber.resume();
  EXPECT_EQ(end, _URC_END_OF_STACK);
  EXPECT_GE(frames, 2);
  EXPECT_LE(frames, 20);
}

TEST(Context, FramePointerBacktraceStopsAtTheEntryRunningOrSuspended) {
  Fiber fiber;
  void* running[64];
  std::size_t running_count = 0;
  fiber.start([&] {
    running_count = base::capture_backtrace(base::current_frame(), fiber.low(), fiber.high(), running, 64);
    fiber.yield();
  });
  fiber.resume();
  EXPECT_GE(running_count, 2u);
  EXPECT_LE(running_count, 20u);
  const Context& suspended = fiber.context();
  void* parked[64];
  const std::size_t parked_count =
      base::capture_backtrace({suspended.frame, suspended.resume}, fiber.low(), fiber.high(), parked, 64);
  EXPECT_GE(parked_count, 2u);
  EXPECT_LE(parked_count, 20u);
  EXPECT_EQ(parked[parked_count - 1], running[running_count - 1]);  // both end in the entry code
  fiber.resume();
}

TEST(Context, LiveLowLiesBelowTheSavedStackPointer) {
  Fiber fiber;
  std::byte* local_address = nullptr;
  fiber.start([&] {
    std::byte local{};
    local_address = &local;
    asm volatile("" : : "r"(local_address) : "memory");
    fiber.yield();
  });
  fiber.resume();
  EXPECT_GE(live_low(fiber.context()), fiber.low());
  EXPECT_EQ(live_low(fiber.context()) + kRedZoneBytes, fiber.context().sp);
  fiber.resume();
}

#if defined(TANDEM_ADDRESS_SANITIZER)
TEST(ContextDeathTest, LocalsThatTheSanitizerMovesOffTheStackAreRefused) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";  // the child begins anew, and reads the environment
  const void* low = nullptr;
  std::size_t bytes = 0;
  ::setenv("ASAN_OPTIONS", "detect_stack_use_after_return=1", 1);
  EXPECT_EXIT(current_thread_stack(&low, &bytes), testing::ExitedWithCode(2), "detect_stack_use_after_return=0");
}
#endif

}  // namespace
}  // namespace tandem::context
