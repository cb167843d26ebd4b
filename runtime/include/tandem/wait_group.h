#pragma once
/// \file
/// WaitGroup: waits for a number of goroutines. Part of sync.h.
///
/// \code
///   tandem::WaitGroup workers;
///   for (int i = 0; i < 4; ++i) workers.go([i] { work(i); });
///   workers.wait();                                      // all four have ended
/// \endcode

#include <cstdint>
#include <functional>
#include <type_traits>
#include <utility>

#include "tandem/detail/grouped_closure.h"
#include "tandem/detail/spin_lock.h"
#include "tandem/detail/wait_queue.h"
#include "tandem/go.h"

namespace tandem {

template <class T>
struct is_leaf;

/// A counter that goroutines wait for to become zero. add() before the goroutine it counts is started. May be
/// used again when all waits have returned, and destroyed as soon as the last one has. A counter below zero
/// is a fatal error. Its destructor waits for what go() has started: an exception that leaves the scope of the group
/// does not leave the goroutines behind with a dead one.
class WaitGroup {
 public:
  constexpr WaitGroup() noexcept = default;
  WaitGroup(const WaitGroup&) = delete;
  WaitGroup& operator=(const WaitGroup&) = delete;
  /// Waits until all goroutines that go() has started have ended, whatever add() has counted; it does not cancel them, as
  /// TaskGroup's does. Parks the goroutine if there are any; never throws.
  ~WaitGroup();

  /// Adds `count`, which may be negative, to the counter. Never parks.
  void add(std::int64_t count = 1) { change(count, 0); }
  /// add(-1).
  void done() { add(-1); }

  /// Waits until the counter is zero. Parks the goroutine. Throws Cancelled, but not before all goroutines
  /// that go() has started have ended: they may be using what lies on this goroutine's stack.
  void wait();

  /// Starts f() as a goroutine and counts it until f and its captures are destroyed, on Cancelled too. Does
  /// not park. Throws what copying f throws and std::bad_alloc; then nothing is counted.
  template <class F>
  void go(F&& f) {
    using Closure = detail::GroupedClosure<WaitGroup, std::decay_t<F>>;
    start_task();
    tandem::go(Closure(*this, std::forward<F>(f)));
  }

 private:
  template <class Group>
  friend class detail::TaskGuard;
  template <class Group, class F>
  friend class detail::GroupedClosure;

  template <class F>
  void run_task(F& f) {
    std::invoke(std::move(f));
  }
  void start_task() { change(1, 1); }
  void task_ended() { change(-1, -1); }
  [[gnu::always_inline]] void change(std::int64_t count, std::int64_t tasks) {
    TANDEM_INDIVISIBLE;
    lock_.lock();
    counter_ += count;
    tasks_ += tasks;
    if (counter_ > 0 && (tasks_ > 0 || task_waiters_.empty())) [[likely]]
      return lock_.unlock();
    changed_slow();
  }
  /// With the lock held, which it releases: wakes those whose wait is over.
  void changed_slow();

  detail::SpinLock lock_;
  std::int64_t counter_ = 0;
  std::int64_t tasks_ = 0;  // the part of the counter that go() has added
  detail::WaitQueue waiters_;
  detail::WaitQueue task_waiters_;  // those that wait for tasks_ only: cancelled ones, and the destructor
};

template <>
struct is_leaf<WaitGroup> : std::true_type {};

}  // namespace tandem
