// What the collector owes its users: an unrooted object is collected, a rooted one never is; destructors run once.
#include "tests/runtime/heap_test.h"
#include "tests/support/scale.h"

#include <array>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "runtime/seam/phase.h"

namespace {

using tandem::collect;
using tandem::Local;
using tandem::make;
using tandem::make_array;
using tandem::Member;
using tandem::Persistent;
using tandem::wait_for_finalizers;
using tandem::test::scaled;
using tandem_test::Canary;
using tandem_test::Counted;

class CollectionTest : public tandem_test::HeapTest {
 protected:
  void SetUp() override { Counted::reset(); }
  void TearDown() override {
    EXPECT_EQ(Counted::destroyed_twice, 0u);
    EXPECT_EQ(Counted::destroyed, Counted::constructed) << "run() destroys what is left";
  }
};
TANDEM_TEST_OVER_PROCESSORS(CollectionTest);

// ---- Collected.

TEST_P(CollectionTest, UnrootedObjectsAreCollected) {
  TANDEM_NOT_OVER_BOEHM("it scans its own frames conservatively, and may keep an object or two for a cycle");
  run([] {
    for (int i = 0; i < 10'000; ++i) static_cast<void>(make<Counted>());
    collect();
    wait_for_finalizers();
    EXPECT_EQ(Counted::destroyed, 10'000u);
  });
}

TEST_P(CollectionTest, UnrootedObjectsAreCollectedUnderZeal) {
  TANDEM_NOT_OVER_BOEHM("it scans its own frames conservatively, and may keep an object or two for a cycle");
  run(zealous(), [] {
    const int objects = scaled(3'000, 100);
    for (int i = 0; i < objects; ++i) static_cast<void>(make<Counted>());
    collect();
    wait_for_finalizers();
    EXPECT_EQ(Counted::destroyed, static_cast<std::uint64_t>(objects));
  });
}

TEST_P(CollectionTest, ACollectFreesExactlyWhatIsUnreachableThen) {
  TANDEM_NOT_OVER_BOEHM("it scans its own frames conservatively, and may keep an object or two for a cycle");
  run([] {
    Local<Counted> kept;
    for (std::uint64_t round = 1; round <= 20; ++round) {
      kept = nullptr;
      for (int i = 0; i < 100; ++i) kept = make<Counted>(kept);
      collect();
      wait_for_finalizers();
      EXPECT_EQ(Counted::destroyed, (round - 1) * 100);
    }
  });
}

TEST_P(CollectionTest, GarbageOfEndedGoroutinesIsCollected) {
  TANDEM_NOT_OVER_BOEHM("it scans its own frames conservatively, and may keep an object or two for a cycle");
  run([] {
    tandem::WaitGroup group;
    for (int i = 0; i < 200; ++i)
      group.go([local = make<Counted>()] {
        std::array<Local<Counted>, 3> more{make<Counted>(), make<Counted>(), make<Counted>()};
        tandem::yield();
        EXPECT_TRUE(more[0]);
      });
    group.wait();
    collect();
    wait_for_finalizers();
    EXPECT_EQ(Counted::destroyed, 800u);
  });
}

TEST_P(CollectionTest, LiveBytesFollowWhatIsReachable) {
  run([] {
    collect();
    const std::uint64_t before = tandem::statistics().live_bytes;
    Local<tandem::Array<Member<Canary>>> canaries = make_array<Member<Canary>>(50'000);
    for (std::size_t i = 0; i < canaries->size(); ++i) (*canaries)[i] = make<Canary>(i);
    collect();
    const std::uint64_t full = tandem::statistics().live_bytes - before;
    EXPECT_GE(full, 50'000 * (sizeof(Canary) + sizeof(void*)));
    EXPECT_LE(full, 50'000 * (sizeof(Canary) + sizeof(void*)) * 3 / 2);
    canaries = nullptr;
    collect();
    collect();  // the first may have begun with windows that count as live
    EXPECT_LE(tandem::statistics().live_bytes, before + (512u << 10));
  });
}

TEST_P(CollectionTest, TheHeapDoesNotGrowWithGarbage) {
  run([] {
    // For each of four goroutines: 256 MB in all.
    static const auto kObjects = scaled<std::uint64_t>(2'000'000, 500'000);
    tandem::WaitGroup group;
    for (int goroutine = 0; goroutine < 4; ++goroutine)
      group.go([] {
        Local<Canary> recent;
        for (std::uint64_t i = 0; i < kObjects; ++i) recent = make<Canary>(i % 100 == 0 ? Local<Canary>() : recent, i);
        EXPECT_TRUE(recent->alive());
      });
    group.wait();
    // However long a cycle takes on a busy machine: 4 MiB of growth allowed, twice that before allocations stall, and what
    // each goroutine had taken meanwhile.
    EXPECT_LT(tandem::statistics().heap_bytes, 16u << 20);
    EXPECT_GT(tandem::statistics().cycles, 0u);
  });
}

// ---- Never collected.

TEST_P(CollectionTest, BlocksThatStayFreeGoBackToTheSystem) {
  TANDEM_NOT_OVER_BOEHM("it gives memory back in its own way");
  constexpr std::uint64_t kBytes = 64 << 20;
  const auto litter = [] {
    Local<tandem::Array<Member<Canary>>> kept = make_array<Member<Canary>>(kBytes / sizeof(Canary) / 2);
    for (std::size_t i = 0; i < kept->size(); ++i) (*kept)[i] = make<Canary>(i);
  };
  tandem::Options options = this->options();
  options.pacer = tandem::Options::Pacer::off;
  options.poison_freed = false;
  run(options, [&] {
    for (int round = 0; round < 2; ++round) {
      const std::uint64_t released_before = tandem::statistics().released_bytes;
      litter();
      // Free for the first time, and again: then workers that have nothing else to do give it back.
      while (tandem::statistics().released_bytes - released_before < kBytes / 4) {
        collect();
        tandem::sleep_for(std::chrono::milliseconds(1));
      }
    }
  });
}

TEST_P(CollectionTest, RootedObjectsStayUnderZealWhileOthersAllocate) {
  run(zealous(), [] {
    static const auto kRounds = scaled<std::uint64_t>(2000, 100);
    tandem::WaitGroup group;
    for (std::uint64_t goroutine = 0; goroutine < 8; ++goroutine)
      group.go([goroutine] {
        std::mt19937_64 random(goroutine);
        std::array<Local<Canary>, 32> locals;
        Persistent<Canary> persistent = make<Canary>(goroutine);
        Local<Canary> chain;
        for (std::uint64_t i = 0; i < kRounds; ++i) {
          locals[random() % locals.size()] = make<Canary>(i);
          chain = make<Canary>(i % 64 == 0 ? Local<Canary>() : chain, i);
          if (random() % 64 == 0) tandem::yield();
          for (const Local<Canary>& local : locals) ASSERT_TRUE(!local || local->alive());
          ASSERT_TRUE(persistent->is(goroutine));
        }
        std::uint64_t length = 0;
        for (Local<Canary> canary = chain; canary; canary = canary->next) ASSERT_TRUE(canary->is(kRounds - ++length));
        EXPECT_EQ(length, (kRounds - 1) % 64 + 1);
      });
    group.wait();
  });
}

TEST_P(CollectionTest, ParkedGoroutinesKeepTheirObjects) {
  run([] {
    auto gate = tandem::make_channel<int>();
    tandem::WaitGroup group;
    for (std::uint64_t i = 0; i < 500; ++i)
      group.go([=] {
        Local<Canary> one = make<Canary>(i);
        std::optional<Local<Canary>> two = make<Canary>(i + 1);
        gate->receive();
        EXPECT_TRUE(one->is(i));
        EXPECT_TRUE((*two)->is(i + 1));
      });
    for (int cycle = 0; cycle < 10; ++cycle) {
      for (std::uint64_t i = 0; i < 1000; ++i) static_cast<void>(make<Canary>(i));
      collect();
    }
    gate->close();
    group.wait();
  });
}

TEST_P(CollectionTest, QueuedGoroutinesKeepTheirClosures) {
  run([] {
    tandem::WaitGroup group;
    for (std::uint64_t i = 0; i < 2000; ++i) group.go([canary = make<Canary>(i), i] { EXPECT_TRUE(canary->is(i)); });
    collect();
    group.wait();
  });
}

/// A binary tree of `depth` levels below the root; every node knows its place.
struct Tree {
  Member<Tree> left;
  Member<Tree> right;
  Canary* unused = nullptr;
  std::uint64_t place = 0;
  void trace(tandem::Visitor& visit) const {
    visit(left);
    visit(right);
  }
};
Local<Tree> build_tree(int depth, std::uint64_t place) {
  Local<Tree> left = depth > 0 ? build_tree(depth - 1, 2 * place) : nullptr;
  Local<Tree> right = depth > 0 ? build_tree(depth - 1, 2 * place + 1) : nullptr;
  return make<Tree>(left, right, nullptr, place);
}
std::uint64_t count_tree(const Local<Tree>& tree, std::uint64_t place) {
  if (!tree) return 0;
  EXPECT_EQ(tree->place, place);
  return 1 + count_tree(tree->left, 2 * place) + count_tree(tree->right, 2 * place + 1);
}

TEST_P(CollectionTest, TreesStayWholeWhileTheyAreRebuilt) {
  run([] {
    Local<Tree> kept = build_tree(14, 1);
    tandem::WaitGroup group;
    for (int goroutine = 0; goroutine < 4; ++goroutine)
      group.go([kept] {
        for (int round = scaled(8, 2); round > 0; --round) EXPECT_EQ(count_tree(build_tree(11, 1), 1), (1u << 12) - 1);
        EXPECT_EQ(count_tree(kept, 1), (1u << 15) - 1);
      });
    for (int cycle = scaled(20, 5); cycle > 0; --cycle) collect();
    group.wait();
    EXPECT_EQ(count_tree(kept, 1), (1u << 15) - 1);
  });
}

TEST_P(CollectionTest, LongChainsAreMarked) {
  run([] {
    Local<Canary> chain;
    for (std::uint64_t i = 0; i < 200'000; ++i) chain = make<Canary>(chain, i);
    collect();
    std::uint64_t expected = 200'000;
    for (Local<Canary> canary = chain; canary; canary = canary->next) ASSERT_TRUE(canary->is(--expected));
    EXPECT_EQ(expected, 0u);
  });
}

TEST_P(CollectionTest, PersistentsRootFromAnywhere) {
  run(zealous(), [] {
    std::vector<Persistent<Canary>> kept;
    for (std::uint64_t i = 0; i < 300; ++i) kept.push_back(make<Canary>(i));
    std::vector<Persistent<Canary>> copies = kept;
    kept.resize(150);
    for (std::uint64_t i = 0; i < 300; ++i) static_cast<void>(make<Canary>(i));
    collect();
    for (std::uint64_t i = 0; i < 300; ++i) ASSERT_TRUE(copies[i]->is(i));
    Local<Canary> local = copies[7];
    copies.clear();
    collect();
    EXPECT_TRUE(local->is(7));
    EXPECT_TRUE(kept[149]->is(149));
  });
}

TEST_P(CollectionTest, PersistentsBecomeNullWhenTheRunEnds) {
  Persistent<Counted> survivor;
  run([&] { survivor = make<Counted>(); });
  EXPECT_FALSE(survivor);
}

// Whatever a cycle has got to when main returns, the next run's collector begins at the beginning. Here main returns when the
// cycle waits for its processor to pass handshake 1 (with one processor: right after the cycle was asked for).
TEST_P(CollectionTest, ARunMayEndInTheMiddleOfACycle) {
  TANDEM_NOT_OVER_BOEHM("its cycle has no phases");
  using tandem::seam::current_phase;
  using tandem::seam::Phase;
  for (int i = 0; i < 5; ++i) {
    run([&] {
      while (current_phase() == Phase::kIdle) static_cast<void>(make<Canary>(1u));
      while (processors() > 1 && current_phase() < Phase::kBarrier) std::this_thread::yield();
    });
    run([] {
      Local<Canary> kept = make<Canary>(1u);
      collect();
      EXPECT_TRUE(kept->is(1));
      EXPECT_EQ(tandem::statistics().cycles, 1u);
    });
  }
}

// ---- Destructors.

TEST_P(CollectionTest, WhatIsLeftIsDestroyedAtTheEndOfTheRun) {
  static Persistent<Counted> root;
  run([] {
    root = make<Counted>();
    for (int i = 0; i < 100; ++i) root->next = make<Counted>(root->next);
    EXPECT_EQ(Counted::destroyed, 0u);
  });
  EXPECT_EQ(Counted::destroyed, 101u);
}

// Main returns when the sweep has just begun; other processors do it while what is left is looked for.
TEST_P(CollectionTest, TheEndOfTheRunMeetsTheSweep) {
  for (int i = 0; i < 5; ++i) {
    run([] {
      Local<Counted> kept;
      for (int object = 0; object < 20'000; ++object) {
        Local<Counted> counted = make<Counted>(kept);
        if (object % 64 == 0) kept = counted;
        if (object % 4 == 0) static_cast<void>(make_array<char>(1000));
      }
      collect();
    });
    EXPECT_EQ(Counted::destroyed, Counted::constructed);
  }
}

// The block whose objects are being destroyed may be swept, and its free cells taken, by what their destructors allocate.
TEST_P(CollectionTest, DestructorsAtTheEndOfTheRunMayAllocateAndCollect) {
  struct Allocates {
    Member<Allocates> next;
    Canary canary;
    explicit Allocates(const Local<Allocates>& successor) : next(successor), canary(7u) { ++Counted::constructed; }
    ~Allocates() {
      for (int i = 0; i < 4; ++i) static_cast<void>(make<Canary>(1u));
      if (++Counted::destroyed % 256 == 0) collect();
      if (!canary.is(7)) ++Counted::destroyed_twice;
      canary.magic = 0;
    }
    void trace(tandem::Visitor& visit) const {
      visit(next);
      visit(canary);
    }
  };
  run([] {
    Local<Allocates> chain;
    for (int i = 0; i < 2000; ++i) chain = make<Allocates>(chain);
    collect();
  });
  EXPECT_EQ(Counted::constructed, 2000u);
}

TEST_P(CollectionTest, DestructorsRunOnceUnderZeal) {
  static const int kObjects = scaled(1000, 100);  // for each of four goroutines
  run(zealous(), [] {
    tandem::WaitGroup group;
    for (int goroutine = 0; goroutine < 4; ++goroutine)
      group.go([] {
        Local<Counted> chain;
        for (int i = 0; i < kObjects; ++i) chain = make<Counted>(i % 10 == 0 ? Local<Counted>() : chain);
      });
    group.wait();
  });
  EXPECT_EQ(Counted::constructed, 4u * kObjects);
}

TEST_P(CollectionTest, AThrowingConstructorLeavesNoObjectToDestroy) {
  struct Throws {
    std::string text = "a text that is too long to lie inside of the string object";
    explicit Throws(bool really) {
      static_cast<void>(make<Canary>(1u));
      if (really) throw std::runtime_error("no");
    }
    ~Throws() { ++Counted::destroyed; }
    void trace(tandem::Visitor&) const {}
  };
  run([] {
    for (int i = 0; i < 100; ++i) EXPECT_THROW(static_cast<void>(make<Throws>(true)), std::runtime_error);
    collect();
    wait_for_finalizers();
    EXPECT_EQ(Counted::destroyed, 0u);
    static_cast<void>(make<Throws>(false));
    collect();
    wait_for_finalizers();
    EXPECT_EQ(Counted::destroyed, 1u);
  });
  Counted::reset();
}

TEST_P(CollectionTest, ConstructorsMayAllocateAndCollect) {
  struct Nested {
    Member<Nested> inner;
    Member<Canary> canary;
    explicit Nested(std::uint64_t depth) : canary(make<Canary>(depth)) {
      if (depth % 8 == 0) collect();
      if (depth > 0) inner = make<Nested>(depth - 1);
    }
    void trace(tandem::Visitor& visit) const {
      visit(inner);
      visit(canary);
    }
  };
  run(zealous(), [] {
    Local<Nested> nested = make<Nested>(40u);
    for (std::uint64_t depth = 40; nested; nested = nested->inner) ASSERT_TRUE(nested->canary->is(depth--));
  });
}

// ---- Limits and modes.

TEST_P(CollectionTest, PastTheMemoryLimitAllocationThrowsAndTheRuntimeStaysUsable) {
  tandem::Options options = this->options();
  options.memory_limit = std::uint64_t{32} << 20;
  run(options, [] {
    Local<tandem::Array<Member<tandem::Array<char>>>> kept = make_array<Member<tandem::Array<char>>>(1000);
    std::size_t count = 0;
    EXPECT_THROW(
        {
          for (; count < 1000; ++count) (*kept)[count] = make_array<char>(256 << 10);
        },
        std::bad_alloc);
    EXPECT_GT(count, 60u);
    EXPECT_LT(count, 130u);
    kept = nullptr;
    collect();
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(make_array<char>(256 << 10)->size(), 256u << 10);
  });
}

TEST_P(CollectionTest, StopTheWorldCollectsTheSame) {
  tandem::Options options = zealous();
  options.stop = tandem::Options::Stop::stop_the_world;
  static const int kObjects = scaled(1000, 100);  // for each of four goroutines
  run(options, [] {
    tandem::WaitGroup group;
    for (std::uint64_t goroutine = 0; goroutine < 4; ++goroutine)
      group.go([goroutine] {
        Local<Canary> kept = make<Canary>(goroutine);
        for (int i = 0; i < kObjects; ++i) static_cast<void>(make<Counted>());
        EXPECT_TRUE(kept->is(goroutine));
      });
    group.wait();
    collect();
    wait_for_finalizers();
    EXPECT_EQ(Counted::destroyed, 4u * kObjects);
  });
}

TEST_P(CollectionTest, WithCollectorNoneNothingIsCollectedUntilTheEnd) {
  tandem::Options options = this->options();
  options.collector = tandem::Options::Collector::none;
  run(options, [] {
    for (int i = 0; i < 1000; ++i) static_cast<void>(make<Counted>());
    collect();
    EXPECT_EQ(Counted::destroyed, 0u);
  });
  EXPECT_EQ(Counted::destroyed, 1000u);
}

TEST_P(CollectionTest, NobodyIsHeldWhenTheStopIsRagged) {
  TANDEM_NOT_OVER_BOEHM("it stops the world");
  run([] {
    tandem::WaitGroup group;
    for (int goroutine = 0; goroutine < 4; ++goroutine)
      group.go([] {
        for (std::uint64_t i = 0; i < 100'000; ++i) static_cast<void>(make<Canary>(i));
      });
    for (int i = 0; i < 10; ++i) collect();
    group.wait();
    EXPECT_GE(tandem::statistics().cycles, 10u);
    EXPECT_EQ(tandem::statistics().longest_all_stopped_ns, 0u);
    EXPECT_EQ(tandem::statistics().times_held, 0u);
  });
}

}  // namespace
