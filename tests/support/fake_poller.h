#pragma once
// A PollerPort without descriptors: goroutines wait for an event that a test triggers from any thread.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "runtime/seam/goroutine.h"
#include "runtime/seam/ports.h"
#include "sched/outside.h"
#include "sched/park.h"

namespace tandem::test {

class FakePoller final : public seam::PollerPort {
 public:
  std::uint32_t poll(std::uint64_t timeout_ns, seam::Processor*) override {
    polls.fetch_add(1);
    std::unique_lock guard(mutex_);
    const auto something = [this] { return events_ > 0 || interrupted_; };
    if (timeout_ns == UINT64_MAX)
      changed_.wait(guard, something);
    else if (timeout_ns > 0)
      changed_.wait_for(guard, std::chrono::nanoseconds(timeout_ns), something);
    if (timeout_ns > 0) interrupted_ = false;
    std::vector<seam::Goroutine*> woken;
    while (events_ > 0 && !waiting_.empty()) {
      --events_;
      const Waiter waiter = waiting_.back();
      waiting_.pop_back();
      waiters_.fetch_sub(1);
      if (sched::claim(*waiter.goroutine, waiter.ticket)) woken.push_back(waiter.goroutine);
    }
    guard.unlock();
    for (seam::Goroutine* goroutine : woken) {
      while ((goroutine->state.load() & seam::kStateMask) != seam::kWaiting) base::cpu_relax();
      if (sched::make_runnable_outside(*goroutine)) sched::inject(*goroutine);
    }
    return static_cast<std::uint32_t>(woken.size());
  }
  std::uint32_t wait(std::uint64_t timeout_ns, seam::Processor* (*)(void*), void*) override {
    return poll(timeout_ns, nullptr);
  }
  void interrupt() override {
    const std::lock_guard guard(mutex_);
    interrupted_ = true;
    changed_.notify_all();
  }
  std::uint32_t waiters() const override { return waiters_.load(); }
  bool has_events() const override {
    const std::lock_guard guard(mutex_);
    return events_ > 0 && !waiting_.empty();
  }
  std::uint32_t descriptors() const override { return 0; }

  /// On a goroutine: parks until an event is delivered to it. Cancellation counts as one.
  void wait() {
    sched::Goroutine& self = sched::running_goroutine("wait");
    {
      const std::lock_guard guard(mutex_);
      waiting_.push_back({&self, sched::open_ticket(self)});
      waiters_.fetch_add(1);
    }
    sched::park(self, "an event", this, nullptr, nullptr);
  }
  /// From any thread.
  void trigger() {
    const std::lock_guard guard(mutex_);
    ++events_;
    changed_.notify_all();
  }

  std::atomic<std::uint64_t> polls{0};

 private:
  struct Waiter {
    seam::Goroutine* goroutine;
    std::uint64_t ticket;
  };
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Waiter> waiting_;
  std::atomic<std::uint32_t> waiters_{0};
  int events_ = 0;
  bool interrupted_ = false;
};

}  // namespace tandem::test
