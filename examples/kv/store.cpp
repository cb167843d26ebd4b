#include "examples/kv/store.h"

#include <random>

namespace kv {

using tandem::Local;
using tandem::String;

namespace {

HashKey random_key() {
  std::random_device source;
  HashKey key;
  for (std::uint64_t& word : key) word = std::uint64_t{source()} << 32 | source();
  return key;
}

}  // namespace

const HashKey Store::kHashKey = random_key();

Local<Value> Store::find(std::string_view key) {
  const Local<Bucket> bucket = (*buckets_)[bucket_of(key)];
  if (!bucket) return nullptr;
  std::optional<Local<Value>> value = bucket->find(key);
  if (!value) return nullptr;
  if (is_over(*value)) {
    erase(key);
    return nullptr;
  }
  return std::move(*value);
}

Local<Value> Store::set(std::string_view key) {
  tandem::Member<Bucket>& place = (*buckets_)[bucket_of(key)];
  if (!place) place = tandem::make_map<StringRef, tandem::Member<Value>>();
  const Local<Bucket> bucket = place;
  if (const std::optional<Local<Value>> value = bucket->find(key)) {
    persist(*value);
    return *value;
  }
  const Local<Value> value = tandem::make<Value>();
  bucket->insert(key, value);
  return value;
}

Local<Value> Store::set_string(std::string_view key, const Local<String>& string) {
  const Local<Value> value = set(key);
  value->string = string;
  value->list = nullptr;
  return value;
}

Local<Value> Store::set_list(std::string_view key, const Local<List>& list) {
  const Local<Value> value = set(key);
  value->string = nullptr;
  value->list = list;
  return value;
}

bool Store::erase(std::string_view key) {
  const Local<Bucket> bucket = (*buckets_)[bucket_of(key)];
  if (!bucket) return false;
  const std::optional<Local<Value>> value = bucket->find(key);
  if (!value) return false;
  const bool was_there = !is_over(*value);
  persist(*value);
  bucket->erase(key);
  return was_there;
}

// The timer's function holds the key, not the value: a function is a root until the timer is destroyed, and the value
// holds the timer.
void Store::expire_at(std::string_view key, const Local<Value>& value, TimePoint time) {
  persist(value);
  const Local<Expiry> expiry = tandem::make<Expiry>(
      time,
      tandem::Timer(time - tandem::this_goroutine::now(),
                    [store = tandem::local_from(this), name = tandem::make_string(key)] { store->end_if_over(name); }));
  value->expiry = expiry;
}

bool Store::persist(const Local<Value>& value) {
  const Local<Expiry> expiry = value->expiry;
  if (!expiry) return false;
  expiry->timer.stop();
  value->expiry = nullptr;
  return true;
}

// The key may have been given another value or time while the timer fired.
void Store::end_if_over(const Local<String>& key) {
  const Locked locked(*this, lock_of(key->view()));
  find(key->view());
}

std::size_t Store::size() const {
  std::size_t keys = 0;
  for (const Local<Bucket> bucket : *buckets_)
    if (bucket) keys += bucket->size();
  return keys;
}

void Store::clear() {
  for (std::size_t index = 0; index < kBuckets; ++index) {
    for_each(index, [](std::string_view, const Local<Value>& value) { persist(value); });
    (*buckets_)[index] = nullptr;
  }
}

}  // namespace kv
