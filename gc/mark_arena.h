#pragma once
// mark_executor = tbb: marking as tasks of a oneTBB arena. A task marks until nothing is to be had, not one object (that was six
// times slower); the arena decides on which of its threads.

#include <oneapi/tbb/task_arena.h>

#include <atomic>
#include <deque>

#include "gc/mark_executor.h"

namespace tandem::gc {

class MarkArena final : public MarkExecutor {
 public:
  explicit MarkArena(std::size_t threads);
  ~MarkArena() override;
  void offer(std::size_t packets) override;
  void halt() override;

 private:
  void run();

  oneapi::tbb::task_arena arena_;
  std::atomic<std::size_t> tasks_{0};  // enqueued or running
  std::atomic<bool> halted_{false};
  std::deque<std::atomic<bool>> taken_;  // by number of thread (MarkExecutor::mark): a running task has it
};

}  // namespace tandem::gc
