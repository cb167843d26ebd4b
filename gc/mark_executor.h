#pragma once
// Options::mark_executor: who marks. With `scheduler` nobody but the workers does and nothing here is used. With the others
// marking is left to threads that know nothing of goroutines: they have no processor, take part in no handshake and are not
// moved to make room for what is runnable. That is what the scheduler's own marking is measured against.
//
// What they need of the protocol (DESIGN 13.13): a thread counts itself in Marker::active before it looks at the phase, as workers
// do, and holds no packet when it takes itself off; so the end of marking, which workers decide, sees all they did.

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "gc/processor_state.h"

namespace tandem {
struct Options;
}

namespace tandem::gc {

class MarkExecutor {
 public:
  explicit MarkExecutor(std::size_t threads);
  virtual ~MarkExecutor();
  MarkExecutor(const MarkExecutor&) = delete;
  MarkExecutor& operator=(const MarkExecutor&) = delete;

  /// There are so many packets to take. From any worker.
  virtual void offer(std::size_t packets) = 0;
  /// When it returns no thread marks, and none will: they call the scheduler, whose end is near. Offers do nothing any more.
  virtual void halt() = 0;

  /// All threads together, since reset(); while none marks.
  std::uint64_t marked_bytes() const;
  std::uint64_t marked_objects() const;
  /// A cycle begins.
  void reset();

 protected:
  /// Marks as the thread with this number until nothing is to be had; false: nothing was. One call a number at a time.
  bool mark(std::size_t thread);
  std::size_t threads() const { return states_.size(); }

 private:
  std::vector<std::unique_ptr<ProcessorState>> states_;  // by thread; only what marking uses of them
};

/// Null where the scheduler's workers mark.
extern std::unique_ptr<MarkExecutor> mark_executor;

/// Boot, before any goroutine runs: threads() is mark_share of the processors, rounded up. Throws what the system refuses.
void start_mark_executor(const Options& options);
/// The end of a run; halted before.
void stop_mark_executor();

}  // namespace tandem::gc
