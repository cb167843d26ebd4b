#include "gc/heap_profile.h"

#include <cmath>
#include <mutex>
#include <new>

#include "gc/attachments.h"
#include "runtime/base/backtrace.h"
#include "runtime/seam/goroutine.h"

namespace tandem::gc {

HeapProfile heap_profile;

void HeapProfile::begin_run(std::uint64_t rate) {
  rate_ = rate;
  const std::lock_guard guard(lock_);
  buckets_.clear();
}

/// Goes on from the overshoot: the number of draws until the countdown is positive again is the number of samples due.
std::uint64_t HeapProfile::draw(Countdown& countdown, std::uint32_t processor) {
  std::uint64_t samples = 0;
  if (!countdown.started) {
    countdown.started = true;
    countdown.random = base::Random(processor + 1);
  } else {
    samples = 1;
  }
  for (;; ++samples) {
    const double uniform = (static_cast<double>(countdown.random.next() >> 11) + 1) / 9007199254740992.0;  // (0, 1]
    countdown.bytes += static_cast<std::int64_t>(-std::log(uniform) * static_cast<double>(rate_)) + 1;
    if (countdown.bytes > 0) return samples * rate_;
  }
}

HeapProfile::Bucket& HeapProfile::bucket_of(const std::vector<std::uintptr_t>& stack, std::uint64_t object_bytes) {
  std::vector<std::uintptr_t> key = stack;
  if (buckets_.size() >= kBucketsMax) key.clear();
  key.push_back(object_bytes);
  return buckets_[std::move(key)];
}

void HeapProfile::sample(CellRef cell, std::uint64_t object_bytes, std::uint64_t bytes) noexcept {
  const seam::Goroutine& self = *seam::current_goroutine();
  void* frames[kFramesMax];
  const std::size_t count =
      base::capture_backtrace(base::current_frame(), self.stack.low, self.stack_base, frames, kFramesMax);
  try {
    std::vector<std::uintptr_t> stack;
    stack.reserve(count);
    // Without the slow path of allocation, which called this.
    for (std::size_t i = 1; i < count; ++i) stack.push_back(reinterpret_cast<std::uintptr_t>(frames[i]));
    Bucket* bucket = nullptr;
    {
      const std::lock_guard guard(lock_);
      bucket = &bucket_of(stack, object_bytes);
    }
    attachments.add_sample(cell, *bucket, bytes);
    bucket->allocated_bytes.fetch_add(bytes, std::memory_order_relaxed);
  } catch (const std::bad_alloc&) {
  }
}

std::vector<HeapProfile::Entry> HeapProfile::entries() {
  const std::lock_guard guard(lock_);
  std::vector<Entry> result;
  result.reserve(buckets_.size());
  for (const auto& [key, bucket] : buckets_) {
    const std::uint64_t freed = bucket.freed_bytes.load(std::memory_order_relaxed);
    const std::uint64_t allocated = bucket.allocated_bytes.load(std::memory_order_relaxed);
    result.push_back({{key.begin(), key.end() - 1}, key.back(), allocated, allocated > freed ? allocated - freed : 0});
  }
  return result;
}

}  // namespace tandem::gc
