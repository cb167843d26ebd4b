// Local<T>: what it refers to stays, wherever on a goroutine's stack the Local lies; and its ordinary semantics.
#include "tests/runtime/heap_test.h"

#include <array>
#include <memory>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <vector>

namespace {

using tandem::Local;
using tandem::make;
using tandem_test::Canary;

using LocalTest = tandem_test::HeapTest;
TANDEM_TEST_OVER_PROCESSORS(LocalTest);

struct Base {
  std::uint64_t base_value = 11;
  tandem::Member<Canary> canary;
  void trace(tandem::Visitor& visit) const { visit(canary); }
};
struct Derived : Base {
  std::uint64_t derived_value = 22;
  void trace(tandem::Visitor& visit) const { Base::trace(visit); }
};
struct SecondBase {
  std::uint64_t second_value = 33;
  void trace(tandem::Visitor&) const {}
};
struct TwoBases : Base, SecondBase {
  void trace(tandem::Visitor& visit) const {
    Base::trace(visit);
    SecondBase::trace(visit);
  }
};

static_assert(sizeof(Local<Canary>) == 2 * sizeof(void*));
static_assert(!std::is_trivially_copyable_v<Local<Canary>>);
static_assert(std::is_nothrow_move_constructible_v<Local<Canary>>);
static_assert(std::is_convertible_v<Local<Derived>, Local<Base>>);
static_assert(!std::is_convertible_v<Local<Base>, Local<Derived>>);
static_assert(!std::is_convertible_v<Local<Canary>, Local<Base>>);

TEST_P(LocalTest, NullCopyMoveAndComparison) {
  run([] {
    Local<Canary> null;
    EXPECT_FALSE(null);
    EXPECT_TRUE(null == nullptr);
    EXPECT_TRUE(nullptr == null);
    Local<Canary> a = make<Canary>(1u);
    Local<Canary> b = a;
    EXPECT_TRUE(a == b);
    EXPECT_TRUE(a != null);
    EXPECT_EQ(std::hash<Local<Canary>>{}(a), std::hash<Local<Canary>>{}(b));
    Local<Canary> c = std::move(a);
    EXPECT_FALSE(a) << "a moved-from Local is null";
    EXPECT_TRUE(c == b);
    a = c;
    EXPECT_TRUE(a == c);
    const Local<Canary>& same = a;
    a = same;
    EXPECT_TRUE(a->is(1)) << "assigning a Local to itself";
    a = nullptr;
    EXPECT_FALSE(a);
    EXPECT_TRUE(b->is(1));
    EXPECT_EQ(&*b, b.raw());
    std::swap(a, b);
    EXPECT_TRUE(a->is(1));
    EXPECT_FALSE(b);
  });
}

TEST_P(LocalTest, ConstIsShallow) {
  run([] {
    const Local<Canary> canary = make<Canary>(1u);
    canary->value = 5;
    EXPECT_EQ((*canary).value, 5u);
  });
}

TEST_P(LocalTest, ConvertsToBasesAndIsCastBack) {
  run(zealous(), [] {
    Local<Derived> derived = make<Derived>();
    derived->canary = make<Canary>(3u);
    Local<Base> base = derived;
    EXPECT_TRUE(base == derived);
    EXPECT_EQ(base->base_value, 11u);
    Local<Derived> back = tandem::cast<Derived>(base);
    EXPECT_EQ(back->derived_value, 22u);
    base = back;

    // A base that does not lie at the object's beginning: the reference is to the middle of a cell.
    Local<SecondBase> second = make<TwoBases>();
    tandem::cast<TwoBases>(second)->canary = make<Canary>(4u);
    tandem::collect();
    EXPECT_EQ(second->second_value, 33u);
    EXPECT_TRUE(tandem::cast<TwoBases>(second)->canary->is(4));
    EXPECT_TRUE(back->canary->is(3));
  });
}

TEST_P(LocalTest, LocalFromThisAndFromMember) {
  struct Self {
    tandem::Member<Self> me;
    std::uint64_t value = 9;
    Local<Self> self() { return tandem::local_from(this); }
    void trace(tandem::Visitor& visit) const { visit(me); }
  };
  run(zealous(), [] {
    Local<Self> self = make<Self>()->self();
    tandem::collect();
    EXPECT_EQ(self->value, 9u);
    self->me = self;
    Local<Self> through_member = self->me;
    EXPECT_TRUE(through_member == self);
    EXPECT_TRUE(self->me == self);
  });
}

TEST_P(LocalTest, HashesIntoContainersOfPersistents) {
  run([] {
    std::unordered_set<std::size_t> hashes;
    std::array<Local<Canary>, 64> kept;
    for (auto& local : kept) hashes.insert(std::hash<Local<Canary>>{}(local = make<Canary>(1u)));
    EXPECT_EQ(hashes.size(), kept.size());
  });
}

// From here on: places where a Local may lie. Each is looked at after many cycles that would have freed the object.

TEST_P(LocalTest, RootsInArraysOptionalsPairsAndStructs) {
  struct Mixed {
    int before = 1;
    Local<Canary> local;
    std::array<Local<Canary>, 3> several;
    char after = 2;
  };
  run(zealous(), [] {
    Local<Canary> c_array[5];
    std::array<Local<Canary>, 5> array;
    std::optional<Local<Canary>> optional = make<Canary>(100u);
    std::pair<int, Local<Canary>> pair(1, make<Canary>(101u));
    Mixed mixed{1, make<Canary>(102u), {make<Canary>(103u), make<Canary>(104u), make<Canary>(105u)}, 2};
    for (std::uint64_t i = 0; i < 5; ++i) {
      c_array[i] = make<Canary>(i);
      array[i] = make<Canary>(10 + i);
    }
    tandem_test::churn();
    for (std::uint64_t i = 0; i < 5; ++i) {
      EXPECT_TRUE(c_array[i]->is(i));
      EXPECT_TRUE(array[i]->is(10 + i));
    }
    EXPECT_TRUE((*optional)->is(100));
    EXPECT_TRUE(pair.second->is(101));
    EXPECT_TRUE(mixed.local->is(102));
    for (std::uint64_t i = 0; i < 3; ++i) EXPECT_TRUE(mixed.several[i]->is(103 + i));
  });
}

[[gnu::noinline]] Local<Canary> nested(int depth, std::uint64_t value) {
  if (depth == 0) return make<Canary>(value);
  Local<Canary> mine = make<Canary>(value + static_cast<std::uint64_t>(depth));
  Local<Canary> inner = nested(depth - 1, value);
  tandem::yield();
  EXPECT_TRUE(mine->is(value + static_cast<std::uint64_t>(depth)));
  return inner;
}

TEST_P(LocalTest, IsReturnedByValueThroughManyFrames) {
  run(zealous(), [] {
    Local<Canary> result = nested(50, 1000);
    tandem_test::churn();
    EXPECT_TRUE(result->is(1000));
    // A temporary in the middle of an expression roots as well.
    EXPECT_TRUE(nested(3, 7)->is(nested(2, 7)->value));
  });
}

TEST_P(LocalTest, IsKeptByTheClosureOfAGoroutine) {
  run(zealous(), [] {
    tandem::WaitGroup group;
    for (std::uint64_t i = 0; i < 50; ++i) {
      std::array<std::uint64_t, 40> large{};  // the closure does not fit into the descriptor
      large[39] = i;
      group.add(2);
      tandem::go([&group, canary = make<Canary>(i), i] {
        tandem::yield();
        EXPECT_TRUE(canary->is(i));
        group.done();
      });
      tandem::go([&group, large, canary = make<Canary>(1000 + i)] {
        tandem::yield();
        EXPECT_TRUE(canary->is(1000 + large[39]));
        group.done();
      });
    }
    tandem_test::churn();
    group.wait();
  });
}

TEST_P(LocalTest, ArgumentsOfGoAreKept) {
  run(zealous(), [] {
    tandem::WaitGroup group;
    for (std::uint64_t i = 0; i < 50; ++i) {
      group.add(1);
      tandem::go(
          [&group](Local<Canary> canary, std::uint64_t value) {
            tandem::yield();
            EXPECT_TRUE(canary->is(value));
            group.done();
          },
          make<Canary>(i), i);
    }
    tandem_test::churn();
    group.wait();
  });
}

TEST_P(LocalTest, UnwindingClearsAndKeeps) {
  struct Thrower {
    [[gnu::noinline]] static void descend(int depth) {
      Local<Canary> local = make<Canary>(static_cast<std::uint64_t>(depth));
      if (depth == 0) throw std::runtime_error("bottom");
      descend(depth - 1);
      EXPECT_TRUE(local->alive());
    }
  };
  run(zealous(), [] {
    Local<Canary> outside = make<Canary>(77u);
    for (int i = 0; i < 20; ++i) {
      Local<Canary> in_try_block;
      try {
        in_try_block = make<Canary>(78u);
        Thrower::descend(20);
        ADD_FAILURE() << "nothing was thrown";
      } catch (const std::runtime_error&) {
        tandem_test::churn();
        EXPECT_TRUE(in_try_block->is(78));
      }
      EXPECT_TRUE(outside->is(77));
    }
  });
}

TEST_P(LocalTest, AnExceptionCarriesAPersistent) {
  struct Failure {
    tandem::Persistent<Canary> what;
  };
  run(zealous(), [] {
    try {
      throw Failure{make<Canary>(55u)};
    } catch (const Failure& failure) {
      tandem_test::churn();
      EXPECT_TRUE(failure.what->is(55));
    }
  });
}

// The destructor's clearing store must survive the optimiser, and so must the scan's precision: what a dead Local referred
// to goes away although its words are still on the stack.
TEST_P(LocalTest, ADeadLocalRootsNothing) {
  tandem_test::Counted::reset();
  struct Frames {
    [[gnu::noinline]] static void leave_behind(int depth) {
      Local<tandem_test::Counted> local = make<tandem_test::Counted>();
      std::optional<Local<tandem_test::Counted>> optional = make<tandem_test::Counted>();
      optional.reset();
      std::array<Local<tandem_test::Counted>, 4> array{make<tandem_test::Counted>()};
      if (depth > 0) leave_behind(depth - 1);
    }
  };
  run([] {
    Frames::leave_behind(9);
    tandem::collect();
    tandem::wait_for_finalizers();
    EXPECT_EQ(tandem_test::Counted::destroyed, 30u);
  });
  EXPECT_EQ(tandem_test::Counted::destroyed_twice, 0u);
}

}  // namespace
