// Map<K, V>: against std::unordered_map, over kinds of keys and values, while the collector runs.
#include "runtime/context/sanitizers.h"
#include "tests/runtime/heap_test.h"
#include "tests/support/scale.h"

#include <array>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include <tandem/rooted.h>

namespace {

struct Point {
  int x = 0;
  int y = 0;
  bool operator==(const Point&) const = default;
};
enum class Colour : std::uint8_t { red, green, blue };

}  // namespace

template <>
struct std::hash<Point> {
  // Poor on purpose: many keys have the same hash.
  std::size_t operator()(const Point& point) const { return static_cast<std::size_t>(point.x % 10); }
};

namespace {

using tandem::Local;
using tandem::make;
using tandem::make_map;
using tandem::make_string;
using tandem::Map;
using tandem::Member;
using tandem::Rooted;
using tandem::String;
using tandem_test::Canary;

using MapTest = tandem_test::HeapTest;
TANDEM_TEST_OVER_PROCESSORS(MapTest);

const int kOperations = tandem::test::scaled(100'000, 100);

/// Random operations on a Map and a std::unordered_map at once; every answer is compared.
/// `key(n)` is the key of the Map, `value(n)` its value, `number(v)` the n of a value.
template <class M, class Key, class Value, class Number>
void compare_with_unordered_map(const Local<M>& map, std::uint64_t seed, int operations, Key key, Value value,
                                Number number) {
  std::mt19937_64 random(seed);
  std::unordered_map<std::uint64_t, std::uint64_t> expected;
  for (int i = 0; i < operations; ++i) {
    // The number of different keys changes: the map fills, is mostly erased, and fills again.
    const std::uint64_t k = random() % (i / (operations / 5) % 2 == 0 ? 4000 : 300);
    const auto v = static_cast<std::uint64_t>(i);
    switch (random() % 8) {
      case 0:
      case 1: ASSERT_EQ(map->insert(key(k), value(v)), expected.emplace(k, v).second); break;
      case 2:
      case 3: ASSERT_EQ(map->insert_or_assign(key(k), value(v)), expected.insert_or_assign(k, v).second); break;
      case 4:
      case 5: ASSERT_EQ(map->erase(key(k)), expected.erase(k) == 1); break;
      case 6: ASSERT_EQ(map->contains(key(k)), expected.contains(k)); break;
      default: {
        const auto found = map->find(key(k));
        const auto other = expected.find(k);
        ASSERT_EQ(found.has_value(), other != expected.end());
        if (found) {
          ASSERT_EQ(number(*found), other->second);
        }
      }
    }
    ASSERT_EQ(map->size(), expected.size());
  }
  for (const auto& [k, v] : expected) {
    const auto found = map->find(key(k));
    ASSERT_TRUE(found.has_value());
    ASSERT_EQ(number(*found), v);
  }
  std::size_t seen = 0;
  for (auto& entry : *map) {
    ASSERT_LT(number(entry.second), static_cast<std::uint64_t>(operations));
    ++seen;
  }
  EXPECT_EQ(seen, expected.size());
}

TEST_P(MapTest, IntegersToIntegersAsUnorderedMap) {
  run([this] {
    const auto same = [](std::uint64_t n) { return n; };
    compare_with_unordered_map(make_map<std::uint64_t, std::uint64_t>(), 1 + processors(), kOperations, same, same,
                               same);
  });
}

TEST_P(MapTest, StringsToObjectsAsUnorderedMap) {
  run([this] {
    compare_with_unordered_map(
        make_map<Member<String>, Member<Canary>>(), 100 + processors(), kOperations,
        [](std::uint64_t n) { return std::to_string(n * 1'000'003); }, [](std::uint64_t n) { return make<Canary>(n); },
        [](const Local<Canary>& canary) { return canary->alive() ? canary->value : ~0ull; });
  });
}

TEST_P(MapTest, StringsToObjectsWhileEveryRefillCollects) {
  run(zealous(), [this] {
    compare_with_unordered_map(
        make_map<Member<String>, Member<Canary>>(), 200 + processors(), tandem::test::scaled(5000, 100),
        [](std::uint64_t n) { return make_string(std::to_string(n * 1'000'003)); },
        [](std::uint64_t n) { return make<Canary>(n); },
        [](const Local<Canary>& canary) { return canary->alive() ? canary->value : ~0ull; });
  });
}

struct Posting {
  Member<Canary> canary;
  std::uint64_t number = 0;
  std::string text;  // a destructor
  void trace(tandem::Visitor& visit) const { visit(canary); }
};

TEST_P(MapTest, TracedStructsAsUnorderedMap) {
  run([this] {
    compare_with_unordered_map(
        make_map<Point, Posting>(), 300 + processors(), tandem::test::scaled(20'000, 100),
        [](std::uint64_t n) { return Point{static_cast<int>(n), static_cast<int>(n * 3)}; },
        [](std::uint64_t n) { return Rooted<Posting>(make<Canary>(n), n, "a text that is too long to lie inside"); },
        [](const Rooted<Posting>& posting) {
          return posting->canary->is(posting->number) && posting->text.size() == 37 ? posting->number : ~0ull;
        });
  });
}

TEST_P(MapTest, TakesTheKindsOfKeysOfTheContract) {
  run([] {
    auto by_colour = make_map<Colour, int>();
    EXPECT_TRUE(by_colour->insert(Colour::red, 1));
    EXPECT_FALSE(by_colour->insert(Colour::red, 2));
    EXPECT_EQ(by_colour->find(Colour::red), 1);
    EXPECT_EQ(by_colour->find(Colour::blue), std::nullopt);

    auto by_point = make_map<Point, int>();
    for (int i = 0; i < 1000; ++i) by_point->insert({i, -i}, i);
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(by_point->find({i, -i}), i);
    EXPECT_FALSE(by_point->contains({1, 1}));

    auto by_small = make_map<char, bool>();
    for (int c = 0; c < 256; ++c) EXPECT_TRUE(by_small->insert(static_cast<char>(c), c % 2 == 0));
    EXPECT_EQ(by_small->size(), 256u);
    EXPECT_EQ(by_small->find('b'), true);

    auto by_double = make_map<double, int>();
    by_double->insert(0.0, 1);
    EXPECT_TRUE(by_double->contains(-0.0));
  });
}

TEST_P(MapTest, StringKeysAreEqualByContentHoweverTheyAreGiven) {
  run([] {
    auto map = make_map<Member<String>, int>();
    EXPECT_TRUE(map->insert(make_string("one"), 1));
    EXPECT_FALSE(map->insert("one", 2));
    EXPECT_TRUE(map->insert(std::string("two"), 2));
    EXPECT_FALSE(map->insert_or_assign(make_string("two"), 22));
    EXPECT_TRUE(map->insert_or_assign(std::string_view("three"), 3));
    EXPECT_EQ(map->find("two"), 22);
    EXPECT_EQ(map->find(make_string("three")), 3);
    EXPECT_TRUE(map->contains("one"));
    EXPECT_TRUE(map->insert("", 0)) << "the empty string is a key";
    EXPECT_EQ(map->find(""), 0);
    EXPECT_TRUE(map->erase("one"));
    EXPECT_FALSE(map->erase(make_string("one")));
    EXPECT_EQ(map->size(), 3u);
  });
}

TEST_P(MapTest, LookingUpByViewAllocatesNothing) {
  tandem::Options options = this->options();
  options.processors = 1;
  run(options, [] {
    auto map = make_map<Member<String>, int>();
    map->insert("present", 1);
    tandem::collect();
    const std::uint64_t before = tandem::statistics().allocated_objects;
    for (int i = 0; i < 100'000; ++i) {
      ASSERT_TRUE(map->contains("present"));
      ASSERT_FALSE(map->find("absent").has_value());
      ASSERT_FALSE(map->insert("present", 2));
    }
    tandem::collect();
    EXPECT_LT(tandem::statistics().allocated_objects - before, 1000u);
  });
}

TEST_P(MapTest, LeavesWithDestructorsAreDestroyedOnce) {
  run([] {
    const auto shared = std::make_shared<int>(1);
    {
      auto map = make_map<int, std::shared_ptr<int>>();
      for (int i = 0; i < 1000; ++i) map->insert(i, shared);
      EXPECT_EQ(shared.use_count(), 1001);
      for (int i = 0; i < 500; ++i) map->erase(i);
      EXPECT_EQ(shared.use_count(), 501);
      map->insert_or_assign(600, nullptr);
      EXPECT_EQ(shared.use_count(), 500);
    }
    tandem::collect();
    tandem::wait_for_finalizers();
    EXPECT_EQ(shared.use_count(), 1);
  });
}

TEST_P(MapTest, TakesMoveOnlyValues) {
  run([] {
    auto map = make_map<int, std::unique_ptr<int>>();
    for (int i = 0; i < 100; ++i) map->insert(i, std::make_unique<int>(i));
    EXPECT_EQ(map->size(), 100u);
    EXPECT_TRUE(map->erase(50));
  });
}

TEST_P(MapTest, ValuesOfTracedStructsAreCopies) {
  run(zealous(), [] {
    auto map = make_map<int, Posting>();
    map->insert(1, {make<Canary>(10u), 10, "ten"});
    Rooted<Posting> found = *map->find(1);
    found->number = 99;
    EXPECT_EQ((*map->find(1))->number, 10u);
    map->insert_or_assign(1, found);
    EXPECT_EQ((*map->find(1))->number, 99u);
    EXPECT_TRUE((*map->find(1))->canary->is(10));
  });
}

TEST_P(MapTest, ErasedEntriesKeepNothingReachable) {
  tandem_test::Counted::reset();
  using tandem_test::Counted;
  struct Pair {
    Member<Counted> a;
    Member<Counted> b;
    void trace(tandem::Visitor& visit) const {
      visit(a);
      visit(b);
    }
  };
  run([] {
    auto members = make_map<int, Member<Counted>>();
    auto structs = make_map<int, Pair>();
    for (int i = 0; i < 300; ++i) {
      members->insert(i, make<Counted>());
      structs->insert(i, {make<Counted>(), make<Counted>()});
    }
    for (int i = 0; i < 100; ++i) {
      members->erase(i);
      structs->erase(i);
    }
    tandem::collect();
    tandem::wait_for_finalizers();
    EXPECT_EQ(Counted::destroyed, 300u);
    members->clear();
    structs->clear();
    EXPECT_EQ(members->size(), 0u);
    EXPECT_FALSE(members->contains(200));
    members->insert(1, make<Counted>());
    tandem::collect();
    tandem::wait_for_finalizers();
    EXPECT_EQ(Counted::destroyed, 900u);
    EXPECT_EQ(members->size(), 1u);
  });
  EXPECT_EQ(Counted::destroyed, 901u);
  EXPECT_EQ(Counted::destroyed_twice, 0u);
}

TEST_P(MapTest, GrowsToManyEntriesAndBecomesSmallerByItselfOnly) {
  run([] {
    constexpr std::uint64_t kEntries = 300'000;
    auto map = make_map<std::uint64_t, Member<Canary>>();
    for (std::uint64_t i = 0; i < kEntries; ++i) ASSERT_TRUE(map->insert(i, make<Canary>(i)));
    tandem::collect();
    for (std::uint64_t i = 0; i < kEntries; ++i) ASSERT_TRUE((*map->find(i))->is(i));
    EXPECT_FALSE(map->contains(kEntries));
    // As a queue: the number of entries stays the same, so the table must not grow for ever.
    for (std::uint64_t i = 0; i < kEntries; ++i) {
      ASSERT_TRUE(map->erase(i));
      ASSERT_TRUE(map->insert(kEntries + i, nullptr));
    }
    tandem::collect();
    // One million slots of 17 bytes at most, although 600,000 keys have come and gone.
    EXPECT_LT(tandem::statistics().live_bytes, 24u << 20);
  });
}

TEST_P(MapTest, ReservedMapsDoNotGrow) {
  run([] {
    auto map = make_map<int, int>(1000);
    for (int i = 0; i < 1000; ++i) map->insert(i, i);
    EXPECT_EQ(map->size(), 1000u);
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(map->find(i), i);
  });
}

// ---- Where entries lie, and how they are found.

TEST_P(MapTest, KeysWithEqualTagsInOneGroupAreToldApart) {
  using Key = tandem::detail::MapKey<Member<String>>;
  const auto tag = [](std::string_view key) { return tandem::detail::MapControl::tag(Key::hash(key)); };
  std::vector<std::string> keys;
  for (int n = 0; keys.size() < 14; ++n)
    if (const std::string key = std::to_string(n); tag(key) == tag("0")) keys.push_back(key);
  run(zealous(), [&] {
    auto map = make_map<Member<String>, Member<Canary>>(7);  // one group
    for (std::uint64_t i = 0; i < 7; ++i) ASSERT_TRUE(map->insert(keys[i], make<Canary>(i)));
    // One after the other is replaced by a key with the same tag, which takes its slot.
    for (std::uint64_t i = 0; i < 7; ++i) {
      ASSERT_TRUE(map->erase(keys[i]));
      ASSERT_FALSE(map->contains(keys[i]));
      ASSERT_TRUE(map->insert_or_assign(keys[7 + i], make<Canary>(7 + i)));
      for (std::uint64_t k = 0; k < 14; ++k) {
        const auto found = map->find(keys[k]);
        ASSERT_EQ(found.has_value(), k > i && k <= i + 7);
        if (found) {
          ASSERT_TRUE((*found)->is(k));
        }
      }
    }
  });
}

TEST_P(MapTest, ATableIsSearchedByItsOwnSizeWhateverIsExpected) {
  using Table = tandem::detail::MapTable<std::uint64_t, std::uint64_t>;
  run([] {
    const auto groups = tandem::make_array<Table::Group>(8);
    for (std::uint64_t key = 0; key < 50; ++key) {
      const std::uint64_t hash = Table::Key::hash(key);
      const auto [place, found] = Table::find_or_free(*groups, key % 10, key, hash);
      ASSERT_FALSE(found);
      place.group->fill(place.slot, tandem::detail::MapControl::tag(hash), key, key + 1);
    }
    for (const std::size_t expected : {std::size_t{0}, std::size_t{1}, std::size_t{8}, std::size_t{1} << 50})
      for (std::uint64_t key = 0; key < 100; ++key) {
        const auto place = Table::find(*groups, expected, key, Table::Key::hash(key));
        ASSERT_EQ(static_cast<bool>(place), key < 50);
        if (place) {
          ASSERT_EQ(place.value(), key + 1);
        }
        Table::prefetch(*groups, expected, Table::Key::hash(key));
        Table::prefetch_entry(*groups, expected, Table::Key::hash(key));
      }
  });
}

struct alignas(16) Wide {
  std::uint64_t low = 0, high = 0;
};
struct Seven {
  std::array<std::uint8_t, 7> bytes{};
};

/// Full groups, every entry written twice: an entry that overlapped another would change it.
template <class K, class V, class Value, class Number>
void fill_and_compare(Value value, Number number) {
  const auto map = make_map<K, V>();
  for (unsigned round = 0; round < 2; ++round)
    for (unsigned i = 0; i < 200; ++i) map->insert_or_assign(static_cast<K>(i), value((i + round) & 0xff));
  for (unsigned i = 0; i < 200; ++i) {
    const auto found = map->find(static_cast<K>(i));
    ASSERT_TRUE(found.has_value());
    ASSERT_EQ(number(*found), (i + 1) & 0xff);
  }
}

TEST_P(MapTest, EntriesOfAllSizesLieApart) {
  const auto as_byte = [](unsigned n) { return static_cast<std::uint8_t>(n); };
  const auto as_word = [](unsigned n) { return std::uint64_t{n} * 0x0101'0101'0101'0101; };
  const auto low_byte = [](std::uint64_t n) { return static_cast<unsigned>(n & 0xff); };
  const auto as_wide = [=](unsigned n) { return Wide{as_word(n), as_word(n)}; };
  const auto of_wide = [=](const Wide& wide) { return wide.low == wide.high ? low_byte(wide.low) : ~0u; };
  const auto as_seven = [=](unsigned n) {
    Seven seven;
    seven.bytes.fill(as_byte(n));
    return seven;
  };
  const auto of_seven = [](const Seven& seven) {
    return seven.bytes[0] == seven.bytes[6] ? unsigned{seven.bytes[0]} : ~0u;
  };
  run([=] {
    fill_and_compare<std::uint8_t, std::uint8_t>(as_byte, low_byte);
    fill_and_compare<std::uint8_t, std::uint64_t>(as_word, low_byte);
    fill_and_compare<std::uint64_t, std::uint8_t>(as_byte, low_byte);
    fill_and_compare<std::uint64_t, std::uint64_t>(as_word, low_byte);
    fill_and_compare<std::uint32_t, Wide>(as_wide, of_wide);
    fill_and_compare<std::uint64_t, Wide>(as_wide, of_wide);
    fill_and_compare<std::uint8_t, Seven>(as_seven, of_seven);
    fill_and_compare<std::uint64_t, Seven>(as_seven, of_seven);
  });
}

TEST_P(MapTest, PrefetchingChangesNothing) {
  run(zealous(), [] {
    auto strings = make_map<Member<String>, Member<Canary>>();
    auto numbers = make_map<int, int>();
    const auto prefetch_all = [&] {
      for (int i = 0; i < 300; ++i) {
        const std::string key = std::to_string(i);
        strings->prefetch(key);
        strings->prefetch_entry(make_string(key));
        numbers->prefetch(i);
        numbers->prefetch_entry(i);
      }
    };
    prefetch_all();
    for (int i = 0; i < 200; ++i) {
      strings->insert(std::to_string(i), i % 3 == 0 ? nullptr : make<Canary>(static_cast<std::uint64_t>(i)));
      numbers->insert(i, -i);
    }
    prefetch_all();
    for (int i = 0; i < 200; ++i) {
      const auto found = strings->find(std::to_string(i));
      ASSERT_TRUE(found.has_value());
      ASSERT_TRUE(i % 3 == 0 ? !*found : (*found)->is(static_cast<std::uint64_t>(i)));
      ASSERT_EQ(numbers->find(i), -i);
    }
    strings->clear();
    numbers->clear();
    prefetch_all();
    EXPECT_TRUE(strings->empty() && numbers->empty());
  });
}

// ---- Iteration.

TEST_P(MapTest, IterationGivesEveryEntryOnceRooted) {
  run(zealous(), [] {
    auto map = make_map<Member<String>, Member<Canary>>();
    for (std::uint64_t i = 0; i < 500; ++i) map->insert(std::to_string(i), make<Canary>(i));
    std::set<std::uint64_t> seen;
    for (auto [name, canary] : *map) {
      if (seen.size() % 100 == 0) tandem::collect();
      ASSERT_TRUE(canary->alive());
      EXPECT_EQ(name->view(), std::to_string(canary->value));
      EXPECT_TRUE(seen.insert(canary->value).second) << canary->value;
    }
    EXPECT_EQ(seen.size(), 500u);
    const auto empty = make_map<int, int>();
    for (const auto& entry : *empty) ADD_FAILURE() << entry.first;
  });
}

TEST_P(MapTest, IterationKeepsATemporaryMap) {
  const auto squares = [] {
    auto map = make_map<int, Member<Canary>>();
    for (int i = 0; i < 50; ++i) map->insert(i, make<Canary>(static_cast<std::uint64_t>(i) * i));
    return map;
  };
  run(zealous(), [&] {
    int count = 0;
    for (auto [key, canary] : *squares()) {
      if (count++ % 10 == 0) tandem::collect();
      ASSERT_TRUE(canary->is(static_cast<std::uint64_t>(key) * key));
    }
    EXPECT_EQ(count, 50);
  });
}

TEST_P(MapTest, TheMapMayChangeWhileItIsIterated) {
  run(zealous(), [] {
    auto map = make_map<int, std::string>();
    for (int i = 0; i < 200; ++i) map->insert(i, std::to_string(i));
    std::map<int, int> seen;
    for (auto& [key, value] : *map) {
      ++seen[key];
      ASSERT_EQ(value, std::to_string(key)) << "also after the table has been replaced";
      // Odd keys go when their predecessor is met, which may be before or after they have been seen.
      if (key < 200 && key % 2 == 0 && seen[key + 1] == 0) map->erase(key + 1);
      // And the map grows several times.
      if (key < 200)
        for (int i = 0; i < 20; ++i) map->insert(1000 + key * 20 + i, std::to_string(1000 + key * 20 + i));
    }
    for (int key = 0; key < 200; key += 2) EXPECT_EQ(seen[key], 1) << key;
    for (const auto& [key, times] : seen) EXPECT_LE(times, 1) << key;
    for (int key = 1; key < 200; key += 2) EXPECT_EQ(map->contains(key), seen[key] == 1) << key;
  });
}

TEST_P(MapTest, EverythingMayBeErasedWhileItIsIterated) {
  run([] {
    auto map = make_map<int, int>();
    for (int i = 0; i < 1000; ++i) map->insert(i, i);
    int seen = 0;
    for (auto [key, value] : *map) {
      EXPECT_TRUE(map->erase(key));
      ++seen;
    }
    EXPECT_EQ(seen, 1000);
    EXPECT_TRUE(map->empty());
  });
}

// ---- Against the rules: no promise about the answers, but the heap stays whole.

TEST_P(MapTest, RacingUseDoesNotCorruptTheHeap) {
#if defined(TANDEM_THREAD_SANITIZER)
  GTEST_SKIP() << "a race on purpose";
#endif
  run(zealous(), [this] {
    auto map = make_map<Member<String>, Member<Canary>>();
    tandem::WaitGroup group;
    for (std::uint64_t goroutine = 0; goroutine < 4; ++goroutine)
      group.go([=, this] {
        std::mt19937_64 random(goroutine * 100 + processors());
        for (int i = tandem::test::scaled(1500); i > 0; --i) {
          const std::string key = std::to_string(random() % 400);
          switch (random() % 4) {
            case 0:
            case 1: map->insert_or_assign(key, make<Canary>(random())); break;
            case 2: map->erase(key); break;
            default:
              if (const auto found = map->find(key)) {
                ASSERT_TRUE(!*found || (*found)->alive());
              }
          }
          if (random() % 256 == 0)
            for (const auto& [name, canary] : *map) {
              ASSERT_TRUE(!name || name->size() <= 3);
              ASSERT_TRUE(!canary || canary->alive());
            }
        }
      });
    group.wait();
    tandem::collect();
  });
}

}  // namespace
