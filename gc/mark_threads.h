#pragma once
// mark_executor = threads: so many threads that sleep until there is something to mark.

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>

#include "gc/mark_executor.h"
#include "runtime/base/os_thread.h"

namespace tandem::gc {

class MarkThreads final : public MarkExecutor {
 public:
  explicit MarkThreads(std::size_t threads);
  ~MarkThreads() override;
  void offer(std::size_t packets) override;
  void halt() override;

 private:
  void run(std::size_t thread);
  bool wait_for_offer(std::uint64_t& seen);

  std::mutex lock_;
  std::condition_variable changed_;
  std::uint64_t offers_ = 0;  // guarded by lock_
  std::atomic<bool> stop_{false};
  std::deque<base::Thread> threads_;  // joined by halt()
};

}  // namespace tandem::gc
