// Marking is shared out over the processors, and none of them holds a cycle up: one that has nothing to do, or whose goroutine
// sits in a long system call.
#include "tests/runtime/heap_test.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace {

using tandem::Local;
using tandem::make;
using tandem::Member;
using tandem::Statistics;

struct Fork {
  Member<Fork> left, right;
  void trace(tandem::Visitor& visit) const { visit(left), visit(right); }
};

Local<Fork> grow(int depth) {
  Local<Fork> tree = make<Fork>();
  if (depth > 0) {
    tree->left = grow(depth - 1);
    tree->right = grow(depth - 1);
  }
  return tree;
}

/// The smallest part that one of the processors marked, of what an even distribution would have given it.
double evenness(const Statistics& before, const Statistics& after) {
  std::uint64_t sum = 0;
  std::uint64_t least = UINT64_MAX;
  for (std::size_t p = 0; p < after.marked_bytes.size(); ++p) {
    const std::uint64_t marked = after.marked_bytes[p] - before.marked_bytes[p];
    sum += marked;
    least = std::min(least, marked);
  }
  return static_cast<double>(least) * static_cast<double>(after.marked_bytes.size()) / static_cast<double>(sum);
}

// How even one cycle is depends on when the system runs the threads; so there may be several, but one of them has to be.
TEST(Balance, EveryProcessorMarksItsPart) {
  for (const auto stop : {tandem::Options::Stop::ragged, tandem::Options::Stop::stop_the_world}) {
    tandem::Options options;
    options.processors = 2;
    options.stop = stop;
    options.pacer = tandem::Options::Pacer::off;
    tandem::run(options, [] {
      Local<Fork> tree = grow(18);
      double best = 0;
      for (int cycle = 0; cycle < 200 && best < 0.5; ++cycle) {
        const Statistics before = tandem::statistics();
        tandem::collect();
        best = std::max(best, evenness(before, tandem::statistics()));
      }
      EXPECT_GE(best, 0.5);
      EXPECT_TRUE(tree->left);
    });
  }
}

TEST(Balance, ALongSystemCallHoldsNoCycleUp) {
  tandem::Options options;
  options.processors = 2;
  tandem::run(options, [] {
    std::atomic<bool> entered{false};
    std::atomic<bool> leave{false};
    tandem::WaitGroup group;
    group.go([&] {
      Local<Fork> kept = grow(3);
      tandem::blocking([&] {
        entered = true;
        while (!leave) std::this_thread::yield();
      });
      EXPECT_TRUE(kept->left->left->left);
    });
    while (!entered) tandem::yield();
    const std::uint64_t before = tandem::statistics().cycles;
    for (int i = 0; i < 10; ++i) tandem::collect();
    EXPECT_GE(tandem::statistics().cycles, before + 10) << "while the call went on";
    leave = true;
    group.wait();
  });
}

TEST(Balance, IdleProcessorsHoldNoCycleUp) {
  tandem::Options options;
  options.processors = 8;
  tandem::run(options, [] {
    const std::uint64_t before = tandem::statistics().cycles;
    for (int i = 0; i < 10; ++i) tandem::collect();
    EXPECT_GE(tandem::statistics().cycles, before + 10);
    EXPECT_EQ(tandem::statistics().marked_bytes.size(), 8u);
  });
}

}  // namespace
