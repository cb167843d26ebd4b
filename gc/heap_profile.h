#pragma once
// Which call stacks allocate: a sample of the allocations, about one in heap_profile_rate bytes.
//
// The bytes that a processor takes from the heap (windows of cells, large objects) are counted down from a random number,
// exponentially distributed with the rate as its mean, so that each byte has the same chance of being the sampled one, whatever
// came before it (a Poisson process). The object that is being allocated when the count reaches zero stands for `rate` bytes of
// its size class, and its stack for all that took them. The fast path of allocation is not touched, and what this costs in
// precision: of the objects of one window, up to 64 of one class, the one that is first is the one that is sampled.
//
// A sampled cell has its bucket attached (attachments.h), so its death is seen by the sweep. (Go's runtime/mprof.go and pprof.)

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "gc/marker.h"
#include "gc/sample_countdown.h"
#include "runtime/base/spin_lock.h"

namespace tandem::gc {

class HeapProfile {
 public:
  /// What was allocated by one stack, in one size.
  struct Bucket {
    std::atomic<std::uint64_t> allocated_bytes{0};
    std::atomic<std::uint64_t> freed_bytes{0};
  };
  struct Entry {
    std::vector<std::uintptr_t> stack;  // innermost first; return addresses
    std::uint64_t object_bytes;
    std::uint64_t allocated_bytes;
    std::uint64_t live_bytes;
  };
  using Countdown = SampleCountdown;

  void begin_run(std::uint64_t rate);

  /// `bytes` were taken from the heap by the processor with this countdown: how many bytes its current allocation is to
  /// stand for, mostly 0.
  std::uint64_t count(Countdown& countdown, std::uint64_t bytes, std::uint32_t processor) {
    if (rate_ == 0) return 0;
    countdown.bytes -= static_cast<std::int64_t>(bytes);
    return countdown.bytes > 0 ? 0 : draw(countdown, processor);
  }
  /// Samples the object in `cell`, with the running goroutine's stack. May do nothing for want of memory.
  void sample(CellRef cell, std::uint64_t object_bytes, std::uint64_t bytes) noexcept;

  std::uint64_t rate() const { return rate_; }
  /// From any thread.
  std::vector<Entry> entries();

 private:
  static constexpr std::size_t kFramesMax = 32;
  static constexpr std::size_t kBucketsMax = 50'000;  // what comes later is put to the account of no stack

  std::uint64_t draw(Countdown& countdown, std::uint32_t processor);
  Bucket& bucket_of(const std::vector<std::uintptr_t>& stack, std::uint64_t object_bytes);

  std::uint64_t rate_ = 0;
  base::SpinLock lock_;
  std::map<std::vector<std::uintptr_t>, Bucket>
      buckets_;  // guarded by lock_; the key's last element is the objects' size
};

extern HeapProfile heap_profile;

}  // namespace tandem::gc
