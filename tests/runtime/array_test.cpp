// Array<T>: leaves, Members, traced structs; small, large and huge.
#include "tests/runtime/heap_test.h"
#include "tests/support/scale.h"

#include <algorithm>
#include <array>
#include <new>
#include <numeric>
#include <span>
#include <string>

namespace {

using tandem::Array;
using tandem::Local;
using tandem::make;
using tandem::make_array;
using tandem::Member;
using tandem_test::Canary;

using ArrayTest = tandem_test::HeapTest;
TANDEM_TEST_OVER_PROCESSORS(ArrayTest);

struct Entry {
  std::uint32_t number = 7;
  Member<Canary> canary;
  double weight = 0.5;
  void trace(tandem::Visitor& visit) const { visit(canary); }
};

struct alignas(16) Aligned {
  double x = 1;
  double y = 2;
};

// Elements of 8 bytes: inside one cell, at the limits of the size classes, and beyond a block.
constexpr std::size_t kSizes[] = {0, 1, 7, 63, 511, 4095, 4096, 8191, 8192, 200'000};

TEST_P(ArrayTest, LeavesAreZeroAndKeepTheirValues) {
  run([] {
    for (const std::size_t size : kSizes) {
      Local<Array<std::uint64_t>> array = make_array<std::uint64_t>(size);
      ASSERT_EQ(array->size(), size);
      EXPECT_EQ(array->empty(), size == 0);
      EXPECT_TRUE(std::ranges::all_of(array->span(), [](std::uint64_t value) { return value == 0; })) << size;
      std::iota(array->data(), array->data() + size, 1);
      tandem::collect();
      std::uint64_t expected = 0;
      for (std::uint64_t value : *array) ASSERT_EQ(value, ++expected);
      EXPECT_EQ(expected, size);
    }
  });
}

TEST_P(ArrayTest, CellsThatAreUsedAgainAreZero) {
  run(zealous(), [] {
    for (int round = 0; round < 300; ++round) {
      Local<Array<std::uint32_t>> array = make_array<std::uint32_t>(30);
      for (std::uint32_t& value : array->span()) {
        ASSERT_EQ(value, 0u);
        value = ~0u;
      }
    }
  });
}

TEST_P(ArrayTest, SpansOfLeaves) {
  run([] {
    Local<Array<int>> array = make_array<int>(10);
    std::span<int> span = *array;
    std::iota(span.begin(), span.end(), 0);
    EXPECT_EQ((*array)[9], 9);
    (*array)[3] = 30;
    EXPECT_EQ(span[3], 30);
    static_assert(!std::is_convertible_v<Array<Member<Canary>>&, std::span<Member<Canary>>>);
  });
}

TEST_P(ArrayTest, AlignmentIsKept) {
  run([] {
    for (const std::size_t size : {1u, 3u, 5000u}) {
      Local<Array<Aligned>> array = make_array<Aligned>(size);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(array->data()) % 16, 0u);
      EXPECT_EQ((*array)[size - 1].y, 2);
      Local<Array<char>> bytes = make_array<char>(size);
      EXPECT_EQ(bytes->size(), size);
    }
  });
}

TEST_P(ArrayTest, MembersKeepTheirObjects) {
  run(zealous(), [] {
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{1}, std::size_t{7}, std::size_t{100}, std::size_t{900}}) {
      Local<Array<Member<Canary>>> array = make_array<Member<Canary>>(size);
      for (std::size_t i = 0; i < size; ++i) {
        ASSERT_FALSE((*array)[i]);
        (*array)[i] = make<Canary>(i);
      }
      tandem::collect();
      std::size_t i = 0;
      for (Local<Canary> canary : *array) ASSERT_TRUE(canary->is(i++));
      EXPECT_EQ(i, size);
    }
  });
}

// More than one block (64 KiB), and more than a mebibyte: marked in pieces.
TEST_P(ArrayTest, LargeArraysOfMembers) {
  run([] {
    for (const std::size_t size : {5'000u, 150'000u}) {
      Local<Array<Member<Canary>>> array = make_array<Member<Canary>>(size);
      for (std::size_t i = 0; i < size; ++i) (*array)[i] = make<Canary>(i);
      tandem::collect();
      for (std::size_t i = 0; i < size; ++i) ASSERT_TRUE((*array)[i]->is(i)) << i;
      // Every second one goes; the others stay.
      for (std::size_t i = 0; i < size; i += 2) (*array)[i] = nullptr;
      tandem::collect();
      for (std::size_t i = 0; i < 1000; ++i) static_cast<void>(make<Canary>(i));
      for (std::size_t i = 1; i < size; i += 2) ASSERT_TRUE((*array)[i]->is(i)) << i;
    }
  });
}

TEST_P(ArrayTest, TracedStructs) {
  run(zealous(), [] {
    for (const std::size_t size : {1u, 3u, 64u, 700u}) {
      Local<Array<Entry>> array = make_array<Entry>(size);
      for (std::size_t i = 0; i < size; ++i) {
        ASSERT_EQ((*array)[i].number, 7u) << "elements are value-initialised";
        (*array)[i].number = static_cast<std::uint32_t>(i);
        (*array)[i].canary = make<Canary>(i);
      }
      tandem::collect();
      std::size_t i = 0;
      for (const Entry& entry : *array) {
        ASSERT_EQ(entry.number, i);
        ASSERT_TRUE(entry.canary->is(i++));
      }
    }
  });
}

TEST_P(ArrayTest, LargeArraysOfTracedStructs) {
  run([] {
    constexpr std::size_t kSize = 60'000;  // 1.4 MB
    Local<Array<Entry>> array = make_array<Entry>(kSize);
    for (std::size_t i = 0; i < kSize; ++i) (*array)[i].canary = make<Canary>(i);
    tandem::collect();
    for (std::size_t i = 0; i < kSize; ++i) ASSERT_TRUE((*array)[i].canary->is(i));
  });
}

TEST_P(ArrayTest, ArraysOfArrays) {
  run(zealous(), [] {
    using Row = Array<std::uint32_t>;
    Local<Array<Member<Row>>> rows = make_array<Member<Row>>(50);
    for (std::uint32_t y = 0; y < 50; ++y) {
      (*rows)[y] = make_array<std::uint32_t>(y);
      std::ranges::fill((*rows)[y]->span(), y);
    }
    tandem::collect();
    for (std::uint32_t y = 0; y < 50; ++y) {
      ASSERT_EQ((*rows)[y]->size(), y);
      for (std::uint32_t value : *(*rows)[y]) ASSERT_EQ(value, y);
    }
  });
}

TEST_P(ArrayTest, DestructorsOfElementsRunOnce) {
  struct Noisy {
    std::string text = "a string that is too long to be kept inside the object";
    std::atomic<std::uint64_t>* count = nullptr;
    Noisy() = default;
    Noisy(const Noisy&) = delete;
    ~Noisy() {
      if (count != nullptr) ++*count;
    }
    void trace(tandem::Visitor&) const {}
  };
  std::atomic<std::uint64_t> destroyed{0};
  run([&] {
    for (const std::size_t size : {10u, 3000u}) {
      Local<Array<Noisy>> array = make_array<Noisy>(size);
      for (Noisy& noisy : *array) noisy.count = &destroyed;
    }
    tandem::collect();
    tandem::wait_for_finalizers();
    EXPECT_EQ(destroyed, 3010u);
  });
  EXPECT_EQ(destroyed, 3010u);
}

// A range-for drops the temporary that it was called on.
TEST_P(ArrayTest, IterationKeepsATemporaryArray) {
  run(zealous(), [] {
    const auto numbers = [] {
      Local<Array<Member<Canary>>> array = make_array<Member<Canary>>(20);
      for (std::size_t i = 0; i < 20; ++i) (*array)[i] = make<Canary>(i);
      return array;
    };
    std::uint64_t expected = 0;
    for (Local<Canary> canary : *numbers()) {
      ASSERT_TRUE(canary->is(expected++));
      tandem::collect();
    }
    EXPECT_EQ(expected, 20u);
  });
}

TEST_P(ArrayTest, ASizeThatOverflowsIsRefused) {
  run([] {
    EXPECT_THROW(static_cast<void>(make_array<std::uint64_t>(~std::size_t{0})), std::bad_alloc);
    EXPECT_THROW(static_cast<void>(make_array<std::uint64_t>(~std::size_t{0} / 8 + 2)), std::bad_alloc);
    EXPECT_EQ(make_array<int>(3)->size(), 3u) << "and the runtime stays usable";
  });
}

// With a handshake at every poll, one of nothing if no other, those that are acknowledged count the polls.
TEST(LargeArray, IsClearedWithAPollAtEveryMebibyte) {
  TANDEM_NOT_OVER_BOEHM("it clears the memory itself");
  tandem::Options options;
  options.processors = 1;
  options.handshake_every_poll = true;
  tandem::run(options, [] {
    constexpr std::size_t kMebibytes = 64;
    const std::uint64_t before = tandem::statistics().time_to_safepoint.count;
    const auto array = make_array<char>(kMebibytes << 20);
    EXPECT_GE(tandem::statistics().time_to_safepoint.count - before, kMebibytes);
    EXPECT_EQ((*array)[array->size() - 1], 0);
  });
}

// Cycles begin and end while they are made, on one processor and on another.
TEST_P(ArrayTest, LargeArraysAreMadeWhileOthersCollect) {
  tandem::Options yielding = options();
  yielding.yield_every_poll = true;
  run(yielding, [] {
    constexpr std::size_t kSize = 400'000;  // 3 MB
    std::atomic<bool> made{false};
    tandem::WaitGroup makers, collector;
    collector.go([&] {
      while (!made) {
        tandem::collect();
        tandem::yield();
      }
    });
    for (int maker = 0; maker < 2; ++maker)
      makers.go([] {
        Local<Array<Member<Canary>>> kept;
        for (std::size_t round = 0; round < tandem::test::scaled<std::size_t>(20, 4); ++round) {
          const Local<Array<Member<Canary>>> array = make_array<Member<Canary>>(kSize);
          for (std::size_t i = 0; i < kSize; ++i) ASSERT_FALSE((*array)[i]) << i;
          for (std::size_t i = 0; i < kSize; i += 1000) (*array)[i] = make<Canary>(i);
          if (kept)
            for (std::size_t i = 0; i < kSize; i += 1000) ASSERT_TRUE((*kept)[i]->is(i)) << i;
          kept = array;
        }
      });
    makers.wait();
    made = true;
    collector.wait();
  });
}

TEST_P(ArrayTest, LargeArraysComeAndGo) {
  run([] {
    // 4 GB in all, or at least 400 MB: they cannot all stay.
    for (std::size_t i = tandem::test::scaled<std::size_t>(2000, 200); i > 0; --i) {
      Local<Array<std::uint64_t>> array = make_array<std::uint64_t>(256 * 1024);
      (*array)[i] = 1;
    }
    tandem::collect();
    EXPECT_LT(tandem::statistics().live_bytes, 64u << 20);
  });
}

}  // namespace
