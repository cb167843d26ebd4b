#pragma once
// What the tests of the managed heap share: bodies that run over several numbers of processors, objects that show when
// they have been freed under somebody's hands, and objects that count their destructions.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>

#include <tandem/tandem.h>
#include <gtest/gtest.h>

#include "tests/support/processor_counts.h"

namespace tandem_test {

/// An object that knows whether it is one. A freed cell is filled with a pattern under Options::poison_freed, and sooner or
/// later holds something else: then alive() is false.
struct Canary {
  static constexpr std::uint64_t kMagic = 0x7ca9'a21e'c0de'f00d;

  tandem::Member<Canary> next;
  std::uint64_t value = 0;
  std::uint64_t magic = kMagic;

  Canary() = default;
  explicit Canary(std::uint64_t number) : value(number), magic(kMagic ^ number) {}
  Canary(const tandem::Local<Canary>& successor, std::uint64_t number)
      : next(successor), value(number), magic(kMagic ^ number) {}
  bool alive() const { return magic == (kMagic ^ value); }
  bool is(std::uint64_t number) const { return alive() && value == number; }
  void trace(tandem::Visitor& visit) const { visit(next); }
};

/// Counts destructions, and notices a second one of the same object.
struct Counted {
  static inline std::atomic<std::uint64_t> constructed{0};
  static inline std::atomic<std::uint64_t> destroyed{0};
  static inline std::atomic<std::uint64_t> destroyed_twice{0};
  static void reset() { constructed = destroyed = destroyed_twice = 0; }

  tandem::Member<Counted> next;
  std::uint32_t state = kAlive;

  Counted() { ++constructed; }
  explicit Counted(const tandem::Local<Counted>& successor) : next(successor) { ++constructed; }
  Counted(const Counted&) = delete;
  ~Counted() {
    if (state != kAlive) ++destroyed_twice;
    state = 0;
    ++destroyed;
  }
  void trace(tandem::Visitor& visit) const { visit(next); }

 private:
  static constexpr std::uint32_t kAlive = 0xa11'7e;
};

/// Overwrites the part of the stack that calls have just left, as any further calls would. (Local needs no such help: its
/// destructor clears its tag. This shows that what is found is not found by luck.)
[[gnu::noinline]] inline void use_stack() {
  volatile char frame[2048];
  for (volatile char& byte : frame) byte = 0;
}

/// Makes garbage and collects, so that an object that nothing roots is poisoned or reused. On a goroutine.
inline void churn() {
  for (std::uint64_t i = 0; i < 200; ++i) EXPECT_TRUE(tandem::make<Canary>(i)->is(i));
  tandem::collect();
}

/// The tests of the managed heap run over bdwgc too (tests/CMakeLists.txt). What cannot hold there says so here, as the first
/// statement of a test.
#define TANDEM_NOT_OVER_BOEHM(reason)                                                                                 \
  do {                                                                                                                \
    const char* const collector = std::getenv("TANDEM_COLLECTOR");                                                    \
    if (collector != nullptr && std::string(collector) == "boehm") GTEST_SKIP() << "collector = boehm: " << (reason); \
  } while (false)

/// A test over P = 1, 2, 4, 8, as goroutine main. With 2 and 8 whatever is parked keeps a summary of its stack.
class HeapTest : public testing::TestWithParam<std::uint32_t> {
 protected:
  std::uint32_t processors() const { return GetParam(); }
  tandem::Options options() const {
    tandem::Options options;
    options.processors = processors();
    options.poison_freed = true;
    if (processors() == 2 || processors() == 8) options.stack_summary_from = 0;
    return options;
  }
  /// A cycle after every refill of an allocation window, each verified.
  tandem::Options zealous() const {
    tandem::Options options = this->options();
    options.collect_every = 1;
    options.verify_after_mark = true;
    return options;
  }
  template <class Main>
  void run(Main&& main) const {
    run(options(), std::forward<Main>(main));
  }
  template <class Main>
  void run(const tandem::Options& chosen, Main&& main) const {
    ASSERT_EQ(tandem::run(chosen, [&] { main(); }), 0);
  }
};

/// Name of a test over P: `P4`.
inline std::string processors_name(const testing::TestParamInfo<std::uint32_t>& info) {
  return "P" + std::to_string(info.param);
}

#define TANDEM_TEST_OVER_PROCESSORS(Suite) \
  INSTANTIATE_TEST_SUITE_P(Processors, Suite, tandem::test::processor_counts(), tandem_test::processors_name)

}  // namespace tandem_test
