#include "examples/kv/store.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace kv {
namespace {

using namespace tandem;
using namespace std::chrono_literals;

// With a seed time is virtual: it passes when nothing is runnable.
template <class Body>
void with_store(Body body) {
  run({.processors = 1, .seed = 1}, [&] { body(make<Store>()); });
}

void put(const Local<Store>& store, const std::string& key) { store->set_string(key, make_string("value of " + key)); }

TEST(Store, KeepsWhatIsPutIntoIt) {
  with_store([](const Local<Store>& store) {
    for (int i = 0; i < 10'000; ++i) put(store, std::to_string(i));
    collect();
    EXPECT_EQ(store->size(), 10'000u);
    for (int i = 0; i < 10'000; ++i)
      ASSERT_EQ(*store->find(std::to_string(i))->string, "value of " + std::to_string(i));
    EXPECT_TRUE(store->erase("7"));
    EXPECT_FALSE(store->erase("7"));
    EXPECT_FALSE(store->find("7"));
    store->clear();
    EXPECT_EQ(store->size(), 0u);
  });
}

// Anybody can compute the standard library's hash.
TEST(Store, NobodyOutsideKnowsWhereAKeyGoes) {
  std::set<std::size_t> buckets;
  int keys = 0;
  for (int i = 0; keys < 100; ++i) {
    const std::string key = std::to_string(i);
    if (std::hash<std::string_view>{}(key) % Store::kBuckets != 0) continue;
    ++keys;
    buckets.insert(Store::bucket_of(key));
  }
  EXPECT_GT(buckets.size(), 50u);
}

TEST(Store, KeysEndByTheirTimers) {
  with_store([](const Local<Store>& store) {
    for (int i = 0; i < 100; ++i) {
      put(store, std::to_string(i));
      store->expire_at(std::to_string(i), store->find(std::to_string(i)), this_goroutine::now() + 1ms * (i + 1));
    }
    sleep_for(50ms + 1us);
    EXPECT_EQ(store->size(), 50u);
    EXPECT_FALSE(store->find("49"));
    EXPECT_TRUE(store->find("50"));
    sleep_for(50ms);
    EXPECT_EQ(store->size(), 0u);
  });
}

TEST(Store, AnotherValueOrTimeTakesTheOldTimeBack) {
  with_store([](const Local<Store>& store) {
    for (const char* key : {"persisted", "overwritten", "later", "erased"}) {
      put(store, key);
      store->expire_at(key, store->find(key), this_goroutine::now() + 10ms);
    }
    EXPECT_TRUE(Store::persist(store->find("persisted")));
    EXPECT_FALSE(Store::persist(store->find("persisted")));
    put(store, "overwritten");
    store->expire_at("later", store->find("later"), this_goroutine::now() + 30ms);
    store->erase("erased");
    put(store, "erased");
    sleep_for(20ms);
    for (const char* key : {"persisted", "overwritten", "later", "erased"}) EXPECT_TRUE(store->find(key)) << key;
    sleep_for(20ms);
    EXPECT_FALSE(store->find("later"));
    EXPECT_EQ(store->size(), 3u);
  });
}

TEST(Store, AKeyThatIsOverIsSeenByNobody) {
  with_store([](const Local<Store>& store) {
    put(store, "key");
    store->expire_at("key", store->find("key"), this_goroutine::now());
    int visited = 0;
    for (std::size_t bucket = 0; bucket < Store::kBuckets; ++bucket)
      store->for_each(bucket, [&](std::string_view, const Local<Value>&) { ++visited; });
    EXPECT_EQ(visited, 0);
    EXPECT_FALSE(store->erase("key"));
    EXPECT_EQ(store->size(), 0u);
  });
}

TEST(List, IsAQueueAtBothEnds) {
  run([] {
    const Local<List> list = make<List>();
    for (int i = 0; i < 500; ++i) {
      list->push_front(make_string(std::to_string(-i - 1)));
      list->push_back(make_string(std::to_string(i)));
    }
    ASSERT_EQ(list->size(), 1000u);
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(*(*list)[static_cast<std::size_t>(i)], std::to_string(i - 500));
    for (int i = 0; i < 500; ++i) {
      ASSERT_EQ(*list->pop_front(), std::to_string(i - 500));
      ASSERT_EQ(*list->pop_back(), std::to_string(499 - i));
    }
    EXPECT_EQ(list->size(), 0u);
  });
}

}  // namespace
}  // namespace kv
