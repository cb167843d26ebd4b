#include "runtime/seam/goroutine_table.h"

#include <mutex>
#include <new>

#include "runtime/base/os_memory.h"

namespace tandem::seam {

void GoroutineTable::initialise() {
  const std::lock_guard guard(lock_);
  if (table_ != nullptr) return;
  std::byte* memory = base::reserve(kMaxGoroutines * sizeof(Goroutine), base::page_bytes(), base::Access::read_write);
  if (memory == nullptr) throw std::bad_alloc();
  table_ = reinterpret_cast<Goroutine*>(memory);
}

Goroutine* GoroutineTable::take_batch(std::uint32_t wanted) {
  const std::lock_guard guard(lock_);
  Goroutine* first = nullptr;
  Goroutine** end = &first;
  for (; wanted > 0 && free_ != nullptr; --wanted) {
    *end = free_;
    end = &free_->next;
    free_ = free_->next;
  }
  std::size_t used = used_.load(std::memory_order_relaxed);
  for (; wanted > 0 && used < kMaxGoroutines; --wanted) {
    *end = ::new (static_cast<void*>(&table_[used])) Goroutine();
    end = &table_[used].next;
    ++used;
  }
  *end = nullptr;
  // Release: pairs with used(); whoever walks the table up to here finds constructed descriptors.
  used_.store(used, std::memory_order_release);
  return first;
}

void GoroutineTable::give_batch(Goroutine* first, Goroutine* last) {
  const std::lock_guard guard(lock_);
  last->next = free_;
  free_ = first;
}

}  // namespace tandem::seam
