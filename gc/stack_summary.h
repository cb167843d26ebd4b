#pragma once
// The few roots of a parked goroutine, kept from one cycle to the next: a stack that nobody has changed since it was walked is
// not walked again. With a million parked goroutines the walk is the cycle: each stack costs misses of the cache and of the TLB.
//
// A summary holds the ticket of the park (sched/park.h) during which the stack was walked. It says what the stack holds now if
//   - the goroutine still waits, with that very ticket. Every park opens a ticket and none is used again: it has not run
//     since, and no waker has claimed it (a waker writes to the stack of the goroutine only after it has);
//   - nobody else has made or changed a Local on that stack, or in that closure: a goroutine that holds a reference to a
//     slot there can. While summaries are kept, barrier_bits() has kBarrierSummaries, and every constructor and assignment
//     of Local then tests whether its slot lies on the stack it runs on; if not, slot_written() gives the summary up.
// Neither costs a switch or a wake-up anything. What a Local's destructor takes away is not noticed: the object that another
// goroutine dropped so stays until the owner of the stack runs again.
//
// The race of a writer with the walk that makes a summary. The writer stores pointer and tag, then exchanges `park` for
// kNone. The walker exchanges `park` for kBeingMade, walks, then replaces kBeingMade by the ticket, and nothing else. All three
// are read-modify-writes of one word, so either the writer's comes before the first of the walker's, which acquires: then the
// walk sees the slot; or between the two: then the second fails; or after both: then the summary is gone.
//
// The race with a cycle that uses summaries. Stores before a processor has passed handshake 1 come before the walk over the
// roots, with their slot_written(). Those after it shade their value themselves (kBarrierLoads), or, where a barrier does not
// shade what reaches a stack, roots are scanned again with the world held. The bit is on before handshake 1 of the first cycle
// that makes summaries, so every processor sees it before one is made.
//
// A goroutine that is woken while its summary is used is scanned before it is resumed, as always: both may happen.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "gc/processor_state.h"
#include "runtime/seam/goroutine.h"

namespace tandem::gc {

/// The distinct roots of one goroutine while it is walked, if they are few.
class FewRoots {
 public:
  static constexpr std::size_t kMax = 4;
  void add(std::uintptr_t reference) {
    if (!few()) return;
    for (std::size_t i = 0; i < count_; ++i)
      if (roots_[i] == reference) return;
    if (count_ < kMax) roots_[count_] = reference;
    ++count_;
  }
  bool few() const { return count_ <= kMax; }
  std::size_t count() const { return count_; }
  std::uintptr_t operator[](std::size_t i) const { return roots_[i]; }

 private:
  std::array<std::uintptr_t, kMax> roots_{};
  std::size_t count_ = 0;  // kMax + 1: there were more
};

class StackSummaries {
 public:
  /// Boot only.
  void begin_run();

  /// Before the barrier of a cycle goes on: are summaries used and made in this cycle? By the cycle's conductor.
  void begin_cycle();
  /// So many goroutines were found waiting. During the walk over the roots.
  void count(std::uint64_t waiting) { waiting_in_cycle_.fetch_add(waiting, std::memory_order_relaxed); }
  /// After all roots have been scanned: with few parked goroutines summaries are given up, all of them. By the conductor.
  void settle();
  bool on() const { return on_.load(std::memory_order_relaxed); }

  /// Shades the roots of a goroutine whose summary holds, and marks it as scanned in `round`. False: it must be walked; also
  /// where `pages_are_due` and nobody has looked yet whether this stack has pages to give back. During the walk over the
  /// roots, on a worker.
  bool use(seam::Goroutine& goroutine, std::size_t index, std::uint64_t round, bool pages_are_due,
           ProcessorState& state);

  /// Around a walk of a stack that the caller has claimed: begin_making, the walk, end_making.
  /// 0: none can be made of this goroutine now.
  std::uint64_t begin_making(const seam::Goroutine& goroutine, std::size_t index);
  void end_making(std::size_t index, std::uint64_t park, const FewRoots& roots, bool pages_looked_at);

  /// A Local at `slot` was made or changed; it may lie on any stack. From any thread.
  void slot_written(const void* slot);

 private:
  // What `park` holds instead of a ticket; tickets of goroutines that wait are even and not 0.
  static constexpr std::uint64_t kNone = 0;  // fresh pages hold it
  static constexpr std::uint64_t kBeingMade = 1;

  struct Entry {
    std::atomic<std::uint64_t> park;
    std::atomic<std::uint32_t> generation;  // entries of others were made before summaries were given up
    std::atomic<std::uint8_t> count;
    std::atomic<bool> pages_looked_at;
    std::array<std::atomic<std::uintptr_t>, FewRoots::kMax> roots;
  };

  Entry* entries_ = nullptr;  // one for each descriptor of the goroutine table; reserved when summaries are first kept
  std::atomic<bool> on_{false};
  std::atomic<std::uint32_t> generation_{0};  // never 0 while on
  std::atomic<std::uint64_t> waiting_in_cycle_{0};
};

extern StackSummaries stack_summaries;

}  // namespace tandem::gc
