#include "gc/mark_threads.h"

namespace tandem::gc {

MarkThreads::MarkThreads(std::size_t threads) : MarkExecutor(threads) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back().start("tandem-mark", [this, i] { run(i); });
}

MarkThreads::~MarkThreads() { halt(); }

void MarkThreads::halt() {
  {
    const std::lock_guard guard(lock_);
    stop_ = true;
  }
  changed_.notify_all();
  for (base::Thread& thread : threads_)
    if (thread.joinable()) thread.join();
}

void MarkThreads::offer(std::size_t packets) {
  if (packets == 0) return;
  {
    const std::lock_guard guard(lock_);
    ++offers_;
  }
  changed_.notify_all();
}

// An offer that comes while the thread marks is not slept through: it is counted.
bool MarkThreads::wait_for_offer(std::uint64_t& seen) {
  std::unique_lock guard(lock_);
  changed_.wait(guard, [&] { return stop_ || offers_ != seen; });
  seen = offers_;
  return !stop_;
}

void MarkThreads::run(std::size_t thread) {
  for (std::uint64_t seen = 0; wait_for_offer(seen);)
    while (mark(thread) && !stop_.load(std::memory_order_relaxed)) {
    }
}

}  // namespace tandem::gc
