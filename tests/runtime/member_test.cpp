// Member<T>: references inside managed objects.
#include "tests/runtime/heap_test.h"

#include <array>
#include <type_traits>
#include <utility>

namespace {

using tandem::Local;
using tandem::make;
using tandem::Member;
using tandem::Persistent;
using tandem_test::Canary;

using MemberTest = tandem_test::HeapTest;
TANDEM_TEST_OVER_PROCESSORS(MemberTest);

struct Later;  // incomplete where the Member to it is declared
struct Holder {
  Member<Canary> first;
  Member<Canary> second;
  Member<Later> later;
  std::array<Member<Canary>, 3> several;
  void trace(tandem::Visitor& visit) const {
    visit(first);
    visit(second);
    visit(later);
    visit(several);
  }
};
struct Later {
  std::uint64_t value = 8;
};

struct Animal {
  std::uint64_t legs = 4;
  void trace(tandem::Visitor&) const {}
};
struct Dog : Animal {
  void trace(tandem::Visitor& visit) const { Animal::trace(visit); }
};
struct Kennel {
  Member<Animal> animal;
  Member<Dog> dog;
  void trace(tandem::Visitor& visit) const {
    visit(animal);
    visit(dog);
  }
};

static_assert(sizeof(Member<Canary>) == sizeof(void*));

TEST_P(MemberTest, GoesTogetherWithPersistents) {
  run(zealous(), [] {
    const Local<Kennel> kennel = make<Kennel>();
    const Persistent<Dog> dog = make<Dog>();
    kennel->dog = dog;
    kennel->animal = dog;  // of a base
    EXPECT_TRUE(kennel->dog == dog && dog == kennel->dog && kennel->animal == dog && dog == kennel->animal);
    const Persistent<Animal> kept = kennel->animal;
    EXPECT_TRUE(kept == kennel->dog && kennel->dog == kept && kept == dog);
    const Persistent<Animal> other = make<Animal>();
    EXPECT_TRUE(other != kennel->animal && kennel->dog != other);
    kennel->animal = Persistent<Animal>(make<Animal>());  // reset as soon as it is stored
    tandem_test::churn();
    EXPECT_EQ(kennel->animal->legs, 4u);
    kennel->dog = Persistent<Dog>();
    EXPECT_FALSE(kennel->dog);
    EXPECT_TRUE(kennel->dog == Persistent<Dog>());
    static_assert(!std::is_assignable_v<Member<Dog>&, Persistent<Animal>>);
  });
}

TEST_P(MemberTest, ConstructsAssignsAndCompares) {
  run(zealous(), [] {
    Local<Holder> holder = make<Holder>();
    EXPECT_FALSE(holder->first);
    EXPECT_TRUE(holder->first == nullptr);
    EXPECT_EQ(holder->first.raw(), nullptr);
    Local<Canary> canary = make<Canary>(1u);
    holder->first = canary;
    EXPECT_TRUE(holder->first == canary);
    EXPECT_TRUE(canary == holder->first);
    holder->second = holder->first;
    EXPECT_TRUE(holder->first == holder->second);
    holder->first = nullptr;
    EXPECT_FALSE(holder->first);
    canary = nullptr;
    tandem::collect();
    EXPECT_TRUE(holder->second->is(1));
    const Local<Canary> read = holder->second;
    holder->second = nullptr;
    tandem::collect();
    EXPECT_TRUE(read->is(1)) << "what was read from a Member is rooted";
    holder->later = make<Later>();
    tandem::collect();
    EXPECT_EQ(holder->later->value, 8u);
    EXPECT_EQ(std::hash<Member<Canary>>{}(holder->first), std::hash<Local<Canary>>{}(nullptr));
  });
}

TEST_P(MemberTest, ConvertsAlongTheHierarchy) {
  run([] {
    Local<Kennel> kennel = make<Kennel>();
    kennel->dog = make<Dog>();
    kennel->animal = kennel->dog;
    kennel->animal = make<Dog>();
    Local<Animal> animal = kennel->dog;
    EXPECT_EQ(animal->legs, 4u);
    EXPECT_TRUE(kennel->dog == animal);
  });
}

TEST_P(MemberTest, AggregatesAreInitialisedFromLocals) {
  struct Node {
    Member<Node> next;
    int value;
    void trace(tandem::Visitor& visit) const { visit(next); }
  };
  run(zealous(), [] {
    Local<Node> head;
    for (int i = 0; i < 500; ++i) head = make<Node>(head, i);
    tandem::collect();
    int expected = 499;
    for (Local<Node> node = head; node; node = node->next) EXPECT_EQ(node->value, expected--);
    EXPECT_EQ(expected, -1);
  });
}

TEST_P(MemberTest, ArraysOfMembersInsideAnObject) {
  run(zealous(), [] {
    Local<Holder> holder = make<Holder>();
    for (std::uint64_t i = 0; i < 3; ++i) holder->several[i] = make<Canary>(i);
    tandem::collect();
    for (std::uint64_t i = 0; i < 3; ++i) EXPECT_TRUE(holder->several[i]->is(i));
  });
}

struct Chain {
  Member<Chain> next;
  std::uint64_t magic = Canary::kMagic;
  /// Cuts itself off from whoever refers to it, collects, and is still there.
  bool survives_being_cut_off(const Local<Chain>& owner) {
    owner->next = nullptr;
    tandem::collect();
    for (int i = 0; i < 100; ++i) static_cast<void>(make<Chain>());
    return magic == Canary::kMagic;
  }
  void trace(tandem::Visitor& visit) const { visit(next); }
};

TEST_P(MemberTest, TheArrowKeepsItsObjectThroughTheCall) {
  run(zealous(), [] {
    Local<Chain> owner = make<Chain>();
    owner->next = make<Chain>();
    EXPECT_TRUE(owner->next->survives_being_cut_off(owner));
    EXPECT_FALSE(owner->next);
  });
}

TEST_P(MemberTest, RacingStoresGiveSomeValueThatWasStored) {
  run(zealous(), [] {
    Local<Holder> holder = make<Holder>();
    holder->first = make<Canary>(0u);
    tandem::WaitGroup group;
    for (std::uint64_t writer = 0; writer < 2; ++writer)
      group.go([=] {
        for (std::uint64_t i = 0; i < 2000; ++i) holder->first = make<Canary>(i);
      });
    for (int reader = 0; reader < 2; ++reader)
      group.go([=] {
        for (int i = 0; i < 2000; ++i) {
          const Local<Canary> seen = holder->first;
          ASSERT_TRUE(seen->alive());
          if (i % 16 == 0) tandem::yield();
          ASSERT_TRUE(seen->alive());
        }
      });
    group.wait();
  });
}

TEST_P(MemberTest, CyclesOfReferencesAreCollected) {
  tandem_test::Counted::reset();
  run([] {
    for (int i = 0; i < 100; ++i) {
      Local<tandem_test::Counted> a = make<tandem_test::Counted>();
      Local<tandem_test::Counted> b = make<tandem_test::Counted>(a);
      a->next = b;
    }
    tandem::collect();
    tandem::wait_for_finalizers();
    EXPECT_EQ(tandem_test::Counted::destroyed, 200u);
  });
}

}  // namespace
