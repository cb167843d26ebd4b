#pragma once
/// \file
/// TaskGroup: starts goroutines and waits for all of them; the first exception cancels the others and is
/// rethrown.
///
/// \code
///   long fibonacci(int n) {
///     if (n < 2) return n;
///     long left = 0;
///     tandem::TaskGroup group;
///     group.go([&] { left = fibonacci(n - 1); });
///     const long right = fibonacci(n - 2);
///     group.wait();
///     return left + right;
///   }
/// \endcode

#include <cstdint>
#include <exception>
#include <functional>
#include <type_traits>
#include <utility>

#include "tandem/cancelled.h"
#include "tandem/detail/grouped_closure.h"
#include "tandem/detail/spin_lock.h"
#include "tandem/detail/wait_queue.h"
#include "tandem/go.h"

namespace tandem {

template <class T>
struct is_leaf;

/// Structured concurrency: no goroutine of a group outlives it. A plain object, not copied or moved. go() and
/// cancel() may be called by any goroutine, those of the group too; wait() by one at a time. May be used
/// again after wait().
class TaskGroup {
 public:
  TaskGroup() noexcept = default;
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;
  /// Cancels what is left and waits for it. Parks the goroutine; never throws, exceptions of the tasks are
  /// dropped.
  ~TaskGroup();

  /// Starts f() as a goroutine of the group; when the group is cancelled before f has started, f is destroyed
  /// without having run. Of the goroutines of task groups that wait for a processor the youngest runs first there, and
  /// others take the oldest away: recursion is walked depth first. Throws what copying f throws and std::bad_alloc.
  template <class F>
  void go(F&& f) {
    using Closure = detail::GroupedClosure<TaskGroup, std::decay_t<F>>;
    task_starts();
    detail::spawn_task(Closure(*this, std::forward<F>(f)));
  }

  /// Waits until every goroutine of the group has ended. Parks the goroutine. Rethrows the first exception
  /// that left one of them; the others were cancelled when it did. Cancelled while it waits, it cancels them,
  /// waits on, and throws Cancelled.
  void wait();

  /// Cancels the goroutines of the group: their current or next blocking call throws Cancelled. Never parks.
  void cancel();

 private:
  template <class Group>
  friend class detail::TaskGuard;
  template <class Group, class F>
  friend class detail::GroupedClosure;

  /// A task that is running; lies on its stack.
  struct Task {
    Task* next;
    Task* previous;
    detail::GoroutineWords* goroutine;
  };

  template <class F>
  void run_task(F& f) {
    Task task;
    if (!begin(task)) return;
    try {
      std::invoke(std::move(f));
    } catch (const Cancelled&) {
      // Told to leave, it has left.
    } catch (...) {
      fail(std::current_exception());
    }
    end(task);
  }

  void task_starts();
  void task_ended();
  bool begin(Task& task);
  void end(Task& task);
  void fail(std::exception_ptr exception);
  void cancel_locked();
  bool wait_for_all(bool cancellable);

  detail::SpinLock lock_;
  bool cancelled_ = false;
  std::uint32_t pending_ = 0;  // started and not ended
  Task* tasks_ = nullptr;      // those that run f
  detail::WaitQueue waiters_;
  std::exception_ptr first_;
};

template <>
struct is_leaf<TaskGroup> : std::true_type {};

}  // namespace tandem
