#pragma once
// The data set: all of it in the managed heap.
//
// Keys are distributed over a fixed number of buckets by their hash, each a Map of its own. So no single Map grows
// large (one that doubles does it in one go), a key never changes its bucket, and a scan that visits bucket after
// bucket returns every key that is there all the while, once, whatever others do. The hash has a key of its own, another one
// in each process: clients cannot choose keys that meet in one bucket. A bucket belongs to one of 64 locks;
// a command locks all that its keys need before it begins, which makes it atomic, in ascending order, which makes it
// free of deadlocks.
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "examples/kv/keyed_hash.h"
#include "examples/kv/value.h"

namespace kv {

/// A set of the store's locks.
using LockSet = std::uint64_t;

class Store {
  using Bucket = tandem::Map<StringRef, tandem::Member<Value>>;

 public:
  static constexpr std::size_t kBuckets = 4096;
  static constexpr LockSet kAllLocks = ~LockSet{0};

  static std::size_t bucket_of(std::string_view key) { return keyed_hash(kHashKey, key) % kBuckets; }
  static LockSet lock_of(std::string_view key) { return lock_of_bucket(bucket_of(key)); }
  static LockSet lock_of_bucket(std::size_t bucket) { return LockSet{1} << bucket % kLocks; }

  /// Holds a set of locks. Parks the goroutine.
  class Locked {
   public:
    Locked(Store& store, LockSet locks) : store_(store), locks_(locks) {
      for (LockSet rest = locks; rest != 0; rest &= rest - 1) store.locks_[std::countr_zero(rest)].mutex.lock();
    }
    ~Locked() {
      for (LockSet rest = locks_; rest != 0; rest &= rest - 1) store_.locks_[std::countr_zero(rest)].mutex.unlock();
    }
    Locked(const Locked&) = delete;
    Locked& operator=(const Locked&) = delete;

   private:
    Store& store_;
    const LockSet locks_;
  };

  // The caller holds the lock of the key.

  /// Hints, for several keys that are about to be looked up: the first for all of them, then the second, so that the memory
  /// that they lead to is fetched at the same time.
  void prefetch(std::string_view key) const {
    if (const Bucket* const bucket = (*buckets_)[bucket_of(key)].raw()) bucket->prefetch(key);
  }
  void prefetch_entry(std::string_view key) const {
    if (const Bucket* const bucket = (*buckets_)[bucket_of(key)].raw()) bucket->prefetch_entry(key);
  }

  /// Null: there is no such key, or its time has come. A string or a list with its expiry.
  tandem::Local<Value> find(std::string_view key);
  /// Adds a key, or gives it another value; the value has no expiry. `string` or `list` is null.
  tandem::Local<Value> set_string(std::string_view key, const tandem::Local<tandem::String>& string);
  tandem::Local<Value> set_list(std::string_view key, const tandem::Local<List>& list);
  /// True: it was there.
  bool erase(std::string_view key);
  /// `value` is the key's. It ends at `time`; a time that has passed is no error.
  void expire_at(std::string_view key, const tandem::Local<Value>& value, TimePoint time);
  /// True: it had an expiry.
  static bool persist(const tandem::Local<Value>& value);

  /// Calls visit(key, value) for each key of a bucket, whose lock is held.
  template <class Visit>
  void for_each(std::size_t bucket, Visit visit) {
    const tandem::Local<Bucket> map = (*buckets_)[bucket];
    if (!map) return;
    for (const auto& [key, value] : *map)
      if (!is_over(value)) visit(key->view(), value);
  }
  /// False: certainly empty. No lock is needed.
  bool may_have_keys(std::size_t bucket) const { return (*buckets_)[bucket].raw() != nullptr; }

  // The caller holds all locks.

  std::size_t size() const;
  void clear();

  Store() : buckets_(tandem::make_array<tandem::Member<Bucket>>(kBuckets)) {}
  void trace(tandem::Visitor& visit) const { visit(buckets_); }

 private:
  static constexpr std::size_t kLocks = 64;
  static const HashKey kHashKey;
  /// Two cache lines, which is what processors fetch at once: neighbours are not to slow each other down.
  struct Lock {
    tandem::Mutex mutex;
    std::byte padding[128 - sizeof(tandem::Mutex)];
  };

  static bool is_over(const tandem::Local<Value>& value) {
    return value->expiry && value->expiry->time <= tandem::this_goroutine::now();
  }
  tandem::Local<Value> set(std::string_view key);
  void end_if_over(const tandem::Local<tandem::String>& key);

  tandem::Member<tandem::Array<tandem::Member<Bucket>>> buckets_;  // null: nothing was ever put into it
  std::array<Lock, kLocks> locks_;
};

}  // namespace kv
