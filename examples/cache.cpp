// A least-recently-used cache as one would write it in Go: a map and a doubly linked list whose nodes point
// at each other in cycles. Nothing is freed by hand; what falls out of the cache is collected while four
// goroutines go on using it.
#include <tandem/tandem.h>
#include <array>
#include <cstdint>
#include <cstdio>
#include <mutex>
using namespace tandem;

namespace {

struct Entry {
  Member<Entry> newer, older;
  std::uint64_t key = 0, value = 0;
  void trace(Visitor& visit) const { visit(newer), visit(older); }
};

/// A ring through `ring`: its `older` is the newest entry, its `newer` the oldest one.
struct Cache {
  Member<Map<std::uint64_t, Member<Entry>>> entries = make_map<std::uint64_t, Member<Entry>>();
  Member<Entry> ring = make<Entry>();
  std::size_t capacity;

  explicit Cache(std::size_t entries_max) : capacity(entries_max) {
    ring->newer = ring;
    ring->older = ring;
  }
  void trace(Visitor& visit) const { visit(entries), visit(ring); }

  static void unlink(const Local<Entry>& entry) {
    Local<Entry> newer = entry->newer, older = entry->older;
    newer->older = older;
    older->newer = newer;
  }
  void link_newest(const Local<Entry>& entry) {
    Local<Entry> head = ring, second = head->older;
    entry->newer = head;
    entry->older = second;
    second->newer = entry;
    head->older = entry;
  }

  std::uint64_t get(std::uint64_t key) {
    if (auto found = entries->find(key)) {
      unlink(*found);
      link_newest(*found);
      return (*found)->value;
    }
    if (entries->size() == capacity) {
      Local<Entry> oldest = ring->newer;
      unlink(oldest);
      entries->erase(oldest->key);
    }
    Local<Entry> entry = make<Entry>();
    entry->key = key;
    entry->value = key * key;
    link_newest(entry);
    entries->insert(key, entry);
    return entry->value;
  }
};

}  // namespace

int main() {
  return run([] {
    Local<Cache> cache = make<Cache>(1000);
    Mutex mutex;
    WaitGroup users;
    std::array<int, 4> wrong{};
    for (std::uint64_t user = 0; user < 4; ++user)
      users.go([&, cache, user] {
        for (std::uint64_t turn = 0; turn < 50'000; ++turn) {
          const std::uint64_t key = (turn * 7919 + user * 104'729) % 3000;
          std::lock_guard lock(mutex);
          wrong[user] += cache->get(key) != key * key;
        }
      });
    users.wait();
    const bool right = wrong == std::array<int, 4>{} && cache->entries->size() == 1000;
    std::printf("%zu entries, %s\n", cache->entries->size(), right ? "all values right" : "wrong values");
    return right ? 0 : 1;
  });
}
