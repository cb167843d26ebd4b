#include "examples/kv/keyed_hash.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace kv {
namespace {

constexpr HashKey kKey = {0x243f6a8885a308d3, 0x13198a2e03707344, 0xa4093822299f31d0};

TEST(KeyedHash, EveryByteAndTheSizeCount) {
  std::set<std::uint64_t> hashes;
  std::size_t texts = 0;
  const auto add = [&](const std::string& text) {
    const auto exact = std::make_unique<char[]>(text.size());  // a sanitizer sees what is read beyond it
    text.copy(exact.get(), text.size());
    hashes.insert(keyed_hash(kKey, {exact.get(), text.size()}));
    ++texts;
  };
  for (std::size_t size = 0; size <= 70; ++size) {
    std::string text(size, '\0');
    add(text);
    for (char& byte : text)
      for (const char value : {'\1', '\x80', '\xff'}) {
        byte = value;
        add(text);
        byte = '\0';
      }
  }
  EXPECT_EQ(hashes.size(), texts);
}

TEST(KeyedHash, EachWordOfTheKeyMatters) {
  for (std::size_t word = 0; word < kKey.size(); ++word)
    for (const std::string text : {"", "abc", "a key of sixteen", "a key of more than sixteen bytes"}) {
      HashKey other = kKey;
      other[word] ^= 1;
      EXPECT_NE(keyed_hash(kKey, text), keyed_hash(other, text)) << word << " " << text;
    }
}

// The keys that one meets most: a word and a number.
TEST(KeyedHash, SpreadsKeysThatAreMuchAlike) {
  constexpr std::size_t kBuckets = 256, kKeys = 64 * kBuckets;
  std::mt19937_64 random(1);
  for (int turn = 0; turn < 20; ++turn) {
    const HashKey key = {random(), random(), random()};
    for (const std::string name : {"", "k", "key:", "user:profile:session:"}) {
      std::vector<int> counts(kBuckets);
      for (std::size_t i = 0; i < kKeys; ++i) ++counts[keyed_hash(key, name + std::to_string(i)) % kBuckets];
      for (const int count : counts) EXPECT_TRUE(count > 16 && count < 128) << name << ": " << count;
    }
  }
}

}  // namespace
}  // namespace kv
