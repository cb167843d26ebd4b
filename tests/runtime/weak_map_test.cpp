// WeakMap: a value lives as long as its key and the map do, whatever the value refers to.
#include "tests/runtime/heap_test.h"
#include "tests/support/scale.h"

#include <array>
#include <string>
#include <vector>

namespace {

using tandem::Local;
using tandem::make;
using tandem::make_weak_map;
using tandem::Member;
using tandem::WeakMap;
using tandem::WeakPersistent;
using tandem_test::Canary;
using tandem_test::churn;

class WeakMapTest : public tandem_test::HeapTest {};
TANDEM_TEST_OVER_PROCESSORS(WeakMapTest);

using Links = WeakMap<Canary, Member<Canary>>;

TEST_P(WeakMapTest, FindsWhatWasInserted) {
  run(zealous(), [] {
    const auto map = make_weak_map<Canary, Member<Canary>>();
    const auto first = make<Canary>(1), second = make<Canary>(2), third = make<Canary>(3);
    EXPECT_FALSE(map->find(first));
    EXPECT_TRUE(map->insert(first, make<Canary>(10)));
    EXPECT_FALSE(map->insert(first, make<Canary>(11)));
    EXPECT_TRUE(map->insert_or_assign(second, make<Canary>(20)));
    EXPECT_FALSE(map->insert_or_assign(second, make<Canary>(21)));
    churn();
    EXPECT_EQ(map->size(), 2u);
    EXPECT_TRUE((*map->find(first))->is(10));
    EXPECT_TRUE((*map->find(second))->is(21));
    EXPECT_TRUE(map->contains(first));
    EXPECT_FALSE(map->contains(third));
    EXPECT_TRUE(map->erase(first));
    EXPECT_FALSE(map->erase(first));
    EXPECT_FALSE(map->find(first));
    EXPECT_EQ(map->size(), 1u);
  });
}

struct Pair {
  Member<Canary> left, right;
  void trace(tandem::Visitor& visit) const {
    visit(left);
    visit(right);
  }
};

TEST_P(WeakMapTest, HoldsValuesOfEveryKind) {
  run(zealous(), [] {
    const auto key = make<Canary>(1);
    const auto numbers = make_weak_map<Canary, int>();
    const auto names = make_weak_map<Member<Canary>, std::string>();
    const auto pairs = make_weak_map<Canary, Pair>();
    numbers->insert(key, 42);
    names->insert(key, std::string(100, 'x'));
    pairs->insert(key, tandem::Rooted<Pair>(make<Canary>(1), make<Canary>(2)));
    churn();
    EXPECT_EQ(numbers->find(key), 42);
    EXPECT_EQ(names->find(key), std::string(100, 'x'));
    const auto pair = pairs->find(key);
    ASSERT_TRUE(pair);
    EXPECT_TRUE((*pair)->left->is(1) && (*pair)->right->is(2));
  });
}

[[gnu::noinline]] WeakPersistent<Canary> insert_value(const Local<Links>& map, const Local<Canary>& key,
                                                      const Local<Canary>& next) {
  const Local<Canary> value = make<Canary>(next, 7);
  map->insert(key, value);
  return WeakPersistent<Canary>(value);
}

TEST_P(WeakMapTest, AValueThatRefersToItsKeyGoesWithIt) {
  TANDEM_NOT_OVER_BOEHM("it holds the values of a WeakMap as long as their keys live");
  run(zealous(), [] {
    const auto map = make_weak_map<Canary, Member<Canary>>();
    Local<Canary> key = make<Canary>(1);
    const WeakPersistent<Canary> value = insert_value(map, key, key);
    const WeakPersistent<Canary> weak_key(key);
    churn();
    EXPECT_TRUE(value.lock());
    key = nullptr;
    tandem_test::use_stack();
    churn();
    EXPECT_FALSE(weak_key.lock());
    EXPECT_FALSE(value.lock());
    EXPECT_EQ(map->size(), 0u);
  });
}

TEST_P(WeakMapTest, ValuesGoWithTheMap) {
  run(zealous(), [] {
    auto map = make_weak_map<Canary, Member<Canary>>();
    const auto key = make<Canary>(1);
    const WeakPersistent<Canary> value = insert_value(map, key, nullptr);
    churn();
    EXPECT_TRUE(value.lock());
    map = nullptr;
    tandem_test::use_stack();
    churn();
    EXPECT_FALSE(value.lock());
    const auto another = make_weak_map<Canary, Member<Canary>>();
    EXPECT_FALSE(another->find(key));
    EXPECT_TRUE(key->is(1));
  });
}

/// key 0 -> value 0, which holds key 1 -> value 1, ...
[[gnu::noinline]] std::vector<WeakPersistent<Canary>> make_chain(const Local<Links>& map, Local<Canary> key,
                                                                 int links) {
  std::vector<WeakPersistent<Canary>> values;
  for (int i = 0; i < links; ++i) {
    const Local<Canary> next = make<Canary>(100u + static_cast<unsigned>(i));
    values.push_back(insert_value(map, key, next));
    key = next;
  }
  return values;
}

TEST_P(WeakMapTest, ChainsOfKeysAreFollowed) {
  run(zealous(), [] {
    constexpr int kLinks = 12;
    const auto map = make_weak_map<Canary, Member<Canary>>();
    Local<Canary> first = make<Canary>(1);
    const std::vector<WeakPersistent<Canary>> values = make_chain(map, first, kLinks);
    for (int round = 0; round < 3; ++round) {
      tandem_test::use_stack();
      churn();
      Local<Canary> key = first;
      for (int i = 0; i < kLinks; ++i) {
        const auto value = map->find(key);
        ASSERT_TRUE(value) << i;
        ASSERT_TRUE((*value)->is(7)) << i;
        key = (*value)->next;
        ASSERT_TRUE(key->alive());
      }
    }
    first = nullptr;
    tandem_test::use_stack();
    churn();
    for (const auto& value : values) EXPECT_FALSE(value.lock());
    EXPECT_EQ(map->size(), 0u);
  });
}

TEST_P(WeakMapTest, ManyEntriesFromManyGoroutines) {
  run([this] {
    const std::uint64_t kEach = tandem::test::scaled<std::uint64_t>(4'000, 200);
    const auto map = make_weak_map<Canary, std::uint64_t>();
    tandem::WaitGroup group;
    for (std::uint32_t g = 0; g < processors(); ++g)
      group.go([=] {
        std::array<Local<Canary>, 64> kept;
        for (std::uint64_t i = 0; i < kEach; ++i) {
          Local<Canary>& place = kept[i % kept.size()];
          if (place && map->find(place) != place->value) ADD_FAILURE() << "lost an entry";
          place = make<Canary>(i);
          if (!map->insert(place, i)) ADD_FAILURE() << "a new object had an entry";
        }
      });
    for (int i = 0; i < 5; ++i) tandem::collect();
    group.wait();
    tandem::collect();
    EXPECT_LE(map->size(), processors() * 64u + 16u);
  });
}

TEST(WeakMapDeathTest, NullIsRefused) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  const auto insert = [](bool null_key) {
    tandem::run([=] {
      const Local<Canary> key = null_key ? Local<Canary>() : make<Canary>();
      make_weak_map<Canary, Member<Canary>>()->insert(key, nullptr);
    });
  };
  EXPECT_EXIT(insert(false), testing::ExitedWithCode(2), "null reference as value");
  EXPECT_EXIT(tandem::run([] { make_weak_map<Canary, int>()->insert(nullptr, 1); }), testing::ExitedWithCode(2),
              "null reference as key");
}

}  // namespace
