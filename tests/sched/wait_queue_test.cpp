#include "tandem/detail/wait_queue.h"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <deque>
#include <gtest/gtest.h>
#include <new>
#include <random>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

namespace tandem::detail {
namespace {

std::vector<const Waiter*> forwards(const WaitQueue& queue) {
  std::vector<const Waiter*> found;
  for (const Waiter* waiter = queue.first; waiter != nullptr; waiter = waiter->next) found.push_back(waiter);
  return found;
}

std::vector<const Waiter*> backwards(const WaitQueue& queue) {
  std::vector<const Waiter*> found;
  for (const Waiter* waiter = queue.last; waiter != nullptr; waiter = waiter->previous) found.push_back(waiter);
  return found;
}

TEST(WaitQueue, HoldsWhatADequeWouldHold) {
  std::mt19937 random(7);
  std::vector<Waiter> waiters(40, Waiter{});
  WaitQueue queue;
  std::deque<const Waiter*> expected;
  for (int step = 0; step < 20000; ++step) {
    Waiter& waiter = waiters[random() % waiters.size()];
    const auto place = std::find(expected.begin(), expected.end(), &waiter);
    ASSERT_EQ(waiter.queued, place != expected.end());
    if (!expected.empty() && random() % 8 == 0) {
      queue.remove_first();
      expected.pop_front();
    } else if (waiter.queued) {
      queue.remove(waiter);
      expected.erase(place);
    } else if (random() % 4 == 0) {
      queue.push_front(waiter);
      expected.push_front(&waiter);
    } else {
      queue.push_back(waiter);
      expected.push_back(&waiter);
    }
    ASSERT_EQ(queue.empty(), expected.empty());
    ASSERT_EQ(forwards(queue), std::vector<const Waiter*>(expected.begin(), expected.end()));
    ASSERT_EQ(backwards(queue), std::vector<const Waiter*>(expected.rbegin(), expected.rend()));
  }
}

/// Waiters, each on a page of its own that can be made inaccessible.
class WaitersOnPages {
 public:
  explicit WaitersOnPages(int count) : count_(count), page_(static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))) {
    void* memory = ::mmap(nullptr, page_ * static_cast<std::size_t>(count), PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    begin_ = static_cast<std::byte*>(memory);
    for (int i = 0; i < count; ++i) new (page(i)) Waiter{};
  }
  ~WaitersOnPages() { ::munmap(begin_, page_ * static_cast<std::size_t>(count_)); }
  WaitersOnPages(const WaitersOnPages&) = delete;
  WaitersOnPages& operator=(const WaitersOnPages&) = delete;

  Waiter& operator[](int i) { return *static_cast<Waiter*>(page(i)); }
  void set_accessible(int i, bool accessible) {
    ASSERT_EQ(::mprotect(page(i), page_, accessible ? PROT_READ | PROT_WRITE : PROT_NONE), 0);
  }

 private:
  void* page(int i) { return begin_ + page_ * static_cast<std::size_t>(i); }

  int count_;
  std::size_t page_;
  std::byte* begin_;
};

// Leaving a queue takes constant time: it touches the neighbours alone, and whoever walked the queue would fall over the
// others, which cannot be touched.
TEST(WaitQueue, WhoLeavesTouchesItsNeighboursOnly) {
  constexpr int kCount = 9;
  for (int leaving = 0; leaving < kCount; ++leaving) {
    WaitersOnPages waiters(kCount);
    WaitQueue queue;
    for (int i = 0; i < kCount; ++i) queue.push_back(waiters[i]);
    for (int i = 0; i < kCount; ++i) waiters.set_accessible(i, std::abs(i - leaving) <= 1);
    queue.remove(waiters[leaving]);
    EXPECT_FALSE(waiters[leaving].queued);
    for (int i = 0; i < kCount; ++i) waiters.set_accessible(i, true);
    EXPECT_EQ(forwards(queue).size(), kCount - 1u);
    EXPECT_EQ(backwards(queue).size(), kCount - 1u);
  }
}

}  // namespace
}  // namespace tandem::detail
