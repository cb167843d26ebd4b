#pragma once
// When a cycle starts, and how much an allocating goroutine helps. The goal is that marking ends when the heap has grown by
// gc_percent over what was live. A cycle starts as many bytes before it as were allocated during the last cycles, and some
// more; allocation while it marks pays mark work in proportion, so that the goal is kept without a stop (Go design 44167).
// Assists are bounded in time, so they alone bound nothing when the cycle cannot get on (a processor that the system does not
// run, a huge heap): at twice the growth allowed, allocating goroutines park until the cycle has ended, and their processors
// mark meanwhile (an allocation stall, as in ZGC and Shenandoah).

#include <atomic>
#include <cstdint>

namespace tandem {
struct Options;
}

namespace tandem::gc {

class Pacer {
 public:
  void begin_run(const Options& options);

  /// A processor took `bytes` of cells. True when a cycle is due.
  bool count_allocation(std::uint64_t bytes) {
    const std::uint64_t now = allocated_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
    return now >= trigger_.load(std::memory_order_relaxed);
  }
  /// Options::collect_every: true at every so many allocations.
  bool zeal_cycle_due() {
    return collect_every_ != 0 &&
           zeal_allocations_.fetch_add(1, std::memory_order_relaxed) % collect_every_ == collect_every_ - 1;
  }
  /// The heap has outgrown what the running cycle was to bound: who allocates waits until it has ended.
  bool must_stall() const {
    return allocated_.load(std::memory_order_relaxed) >= stall_.load(std::memory_order_relaxed);
  }
  /// Mark work in bytes that an allocation of `bytes` owes while a cycle runs.
  std::uint64_t assist_for(std::uint64_t bytes) const {
    return bytes * assist_ratio_percent_.load(std::memory_order_relaxed) / 100;
  }

  /// A cycle was asked for: what is allocated from here to its end is the runway that the next one needs.
  void cycle_started() { allocated_at_start_ = allocated_.load(std::memory_order_relaxed); }
  /// A cycle has got past its roots: sets the assist ratio.
  void mark_started();
  /// A cycle has ended with so many bytes marked, and so many allocated black since its handshake 2.
  void cycle_ended(std::uint64_t marked_bytes, std::uint64_t black_bytes);

  std::uint64_t heap_now() const {
    return live_.load(std::memory_order_relaxed) + allocated_.load(std::memory_order_relaxed);
  }
  std::uint64_t goal() const { return goal_.load(std::memory_order_relaxed); }
  std::uint64_t trigger_bytes() const { return trigger_.load(std::memory_order_relaxed); }
  std::uint64_t live() const { return live_.load(std::memory_order_relaxed); }

 private:
  void set_goal();

  std::int32_t gc_percent_ = 100;
  std::uint64_t memory_limit_ = 0;
  bool by_goal_ = true;
  std::uint64_t fixed_bytes_ = 0;  // not 0: a cycle each so many bytes, whatever is live
  std::uint64_t collect_every_ = 0;
  std::atomic<std::uint64_t> zeal_allocations_{0};
  std::uint64_t allocated_at_start_ = 0;     // written by who starts a cycle
  std::uint64_t runway_ = 0;                 // bytes; smoothed over cycles
  std::uint64_t expected_live_ = 0;          // of live_, without what of it has probably died meanwhile
  std::atomic<std::uint64_t> live_{0};       // after the last cycle: marked, or allocated black
  std::atomic<std::uint64_t> allocated_{0};  // since the last cycle ended
  std::atomic<std::uint64_t> goal_{0};       // heap_now at which marking should be done
  std::atomic<std::uint64_t> trigger_{0};    // value of allocated_ at which the next cycle starts
  std::atomic<std::uint64_t> stall_{0};      // value of allocated_ from which on allocations wait
  std::atomic<std::uint64_t> assist_ratio_percent_{0};
};

extern Pacer pacer;

}  // namespace tandem::gc
