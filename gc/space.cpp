#include "gc/space.h"

#include <mutex>
#include <new>

#include "runtime/base/os_memory.h"

namespace tandem::gc {

Spaces spaces;

namespace {
std::atomic<Space*>* reserve_pointers(std::size_t entries) {
  auto* table = base::reserve(entries * sizeof(void*), base::page_bytes(), base::Access::read_write);
  if (table == nullptr) throw std::bad_alloc();
  return reinterpret_cast<std::atomic<Space*>*>(table);
}
}  // namespace

void Spaces::begin_run() {
  table_ = reserve_pointers(kMaxLayouts);
  list_ = reserve_pointers(kMaxLayouts);
}

void Spaces::end_run() {
  for_each([](Space& space) { delete &space; });
  base::release(reinterpret_cast<std::byte*>(table_), kMaxLayouts * sizeof(void*));
  base::release(reinterpret_cast<std::byte*>(list_), kMaxLayouts * sizeof(void*));
  table_ = list_ = nullptr;
  count_.store(0, std::memory_order_relaxed);
  sweep_hint_.store(0, std::memory_order_relaxed);
  unswept_blocks.store(0, std::memory_order_relaxed);
  large_.unswept.clear();
  large_.swept.clear();
}

Space& Spaces::at(detail::LayoutNumber layout) {
  // Acquire: pairs with the release in create().
  Space* space = table_[layout].load(std::memory_order_acquire);
  return space ? *space : *create(layout);
}

Space* Spaces::create(detail::LayoutNumber layout) {
  const std::lock_guard guard(create_lock_);
  if (Space* space = table_[layout].load(std::memory_order_relaxed)) return space;
  auto* space = new Space;
  space->layout = layout;
  const std::uint32_t n = count_.load(std::memory_order_relaxed);
  list_[n].store(space, std::memory_order_relaxed);
  count_.store(n + 1, std::memory_order_release);
  table_[layout].store(space, std::memory_order_release);
  return space;
}

void Spaces::all_to_unswept(std::uint64_t more) {
  std::uint64_t total = more;
  for_each([&](Space& space) {
    const std::lock_guard guard(space.lock);
    space.unswept.swap(space.full);
    space.unswept.insert(space.unswept.end(), space.available.begin(), space.available.end());
    space.full.clear();
    space.available.clear();
    total += space.unswept.size();
  });
  {
    const std::lock_guard guard(large_.lock);
    large_.unswept.swap(large_.swept);
    total += large_.unswept.size();
  }
  sweep_hint_.store(0, std::memory_order_relaxed);
  unswept_blocks.fetch_add(total, std::memory_order_release);
}

BlockIndex Spaces::take_unswept(Space*& space) {
  if (unswept_blocks.load(std::memory_order_acquire) == 0) return Region::kNoBlock;
  {
    const std::lock_guard guard(large_.lock);
    if (!large_.unswept.empty()) {
      const BlockIndex block = large_.unswept.back();
      large_.unswept.pop_back();
      space = nullptr;
      return block;
    }
  }
  const std::uint32_t n = count_.load(std::memory_order_acquire);
  for (std::uint32_t i = sweep_hint_.load(std::memory_order_relaxed); i < n; ++i) {
    Space& candidate = *list_[i].load(std::memory_order_relaxed);
    const std::lock_guard guard(candidate.lock);
    if (!candidate.unswept.empty()) {
      const BlockIndex block = candidate.unswept.back();
      candidate.unswept.pop_back();
      space = &candidate;
      return block;
    }
    std::uint32_t expected = i;
    sweep_hint_.compare_exchange_strong(expected, i + 1, std::memory_order_relaxed);
  }
  return Region::kNoBlock;
}

}  // namespace tandem::gc
