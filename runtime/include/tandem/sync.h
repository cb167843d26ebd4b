#pragma once
/// \file
/// Synchronisation that parks the goroutine, never the thread: Mutex and SharedMutex (mutex.h), WaitGroup
/// (wait_group.h), ConditionVariable, Semaphore, Once, Barrier.
///
/// \code
///   tandem::Mutex mutex;
///   tandem::ConditionVariable changed;
///   bool ready = false;
///   tandem::go([&] { std::lock_guard lock(mutex); ready = true; changed.notify_one(); });
///   std::unique_lock lock(mutex);
///   changed.wait(lock, [&] { return ready; });
/// \endcode
///
/// All are plain objects: on stacks, in managed objects, in globals; constant-initialised, not copied or
/// moved. What happens before an unlock, release, done, notification or arrival happens before what it lets
/// go on. Misuse ends the process with a message that names the object and the goroutine. While a run is on,
/// they are for goroutines only.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <shared_mutex>
#include <type_traits>
#include <utility>

#include "tandem/detail/duration.h"
#include "tandem/detail/spin_lock.h"
#include "tandem/detail/wait_queue.h"
#include "tandem/mutex.h"
#include "tandem/wait_group.h"

namespace tandem {

/// Waits for a condition under a lock: Mutex, or whatever has lock() and unlock(). Wake-ups without a
/// notification are possible: wait in a loop, or with a predicate. May be destroyed as soon as all its
/// waiters have been notified.
///
/// wait* park the goroutine; they throw Cancelled, with the lock held again, and what the lock throws.
class ConditionVariable {
 public:
  constexpr ConditionVariable() noexcept = default;
  ConditionVariable(const ConditionVariable&) = delete;
  ConditionVariable& operator=(const ConditionVariable&) = delete;

  template <class Lock>
  void wait(Lock& lock) {
    wait_until_ns(lock, kNoDeadlineNs);
  }
  template <class Lock, class Predicate>
  void wait(Lock& lock, Predicate predicate) {
    while (!predicate()) wait(lock);
  }
  /// std::cv_status::timeout when `duration` has passed, never early. With a predicate: its last value.
  template <class Lock, class Rep, class Period>
  std::cv_status wait_for(Lock& lock, const std::chrono::duration<Rep, Period>& duration) {
    return wait_until_ns(lock, detail::runtime_now_ns() + detail::saturated_ns(duration));
  }
  template <class Lock, class Rep, class Period, class Predicate>
  bool wait_for(Lock& lock, const std::chrono::duration<Rep, Period>& duration, Predicate predicate) {
    return wait_until_ns(lock, detail::runtime_now_ns() + detail::saturated_ns(duration), predicate);
  }
  template <class Lock, class Clock, class Duration>
  std::cv_status wait_until(Lock& lock, const std::chrono::time_point<Clock, Duration>& time) {
    return wait_until_ns(lock, detail::deadline_ns(time));
  }
  template <class Lock, class Clock, class Duration, class Predicate>
  bool wait_until(Lock& lock, const std::chrono::time_point<Clock, Duration>& time, Predicate predicate) {
    return wait_until_ns(lock, detail::deadline_ns(time), predicate);
  }

  /// Wakes the goroutine that has waited longest, or all of them. Never parks.
  void notify_one();
  void notify_all();

 private:
  static constexpr std::uint64_t kNoDeadlineNs = UINT64_MAX;
  enum class Outcome : std::uint8_t { kNotified, kTimeout, kCancelled };

  template <class Lock>
  std::cv_status wait_until_ns(Lock& lock, std::uint64_t deadline_ns) {
    detail::Waiter waiter;
    enqueue(waiter);  // before the lock is given up: no notification after that is missed
    lock.unlock();
    const Outcome outcome = wait_for_notification(waiter, deadline_ns);
    lock.lock();
    if (outcome == Outcome::kCancelled) throw_cancelled();
    return outcome == Outcome::kTimeout ? std::cv_status::timeout : std::cv_status::no_timeout;
  }
  template <class Lock, class Predicate>
  bool wait_until_ns(Lock& lock, std::uint64_t deadline_ns, Predicate& predicate) {
    while (!predicate())
      if (wait_until_ns(lock, deadline_ns) == std::cv_status::timeout) return predicate();
    return true;
  }

  void enqueue(detail::Waiter& waiter);
  Outcome wait_for_notification(detail::Waiter& waiter, std::uint64_t deadline_ns);
  detail::Waiter* notify_first();
  [[noreturn]] static void throw_cancelled();

  detail::SpinLock lock_;
  detail::WaitQueue waiters_;
};

/// A counter of permits. First come, first served. Never holds a negative number.
class Semaphore {
 public:
  /// `permits` is 0 or more, or it is a fatal error.
  constexpr explicit Semaphore(std::int64_t permits) : permits_(permits) {
    if (permits < 0) [[unlikely]]
      misused("a Semaphore cannot start with a negative number of permits");
  }
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  /// Takes a permit; waits for one. Parks the goroutine. Throws Cancelled.
  void acquire() {
    detail::poll_in_call();
    TANDEM_INDIVISIBLE;
    lock_.lock();
    if (permits_ == 0) [[unlikely]]
      return acquire_slow();
    --permits_;
    lock_.unlock();
  }
  [[nodiscard]] bool try_acquire() noexcept {
    detail::poll_in_call();
    TANDEM_INDIVISIBLE;
    lock_.lock();
    const bool taken = permits_ > 0;
    if (taken) --permits_;
    lock_.unlock();
    return taken;
  }
  /// Gives `count` permits (0 or more) back, or adds them. Never parks.
  void release(std::int64_t count = 1) {
    detail::poll_in_call();
    TANDEM_INDIVISIBLE;
    lock_.lock();
    if (!waiters_.empty() || count < 0) [[unlikely]]
      return release_slow(count);
    permits_ += count;
    lock_.unlock();
  }

 private:
  void acquire_slow();  // with lock_ held, which they release
  void release_slow(std::int64_t count);
  [[noreturn]] void misused(const char* what) const;

  detail::SpinLock lock_;
  std::int64_t permits_;  // not 0 only when nobody waits
  detail::WaitQueue waiters_;
};

/// Runs a function once.
class Once {
 public:
  constexpr Once() noexcept = default;
  Once(const Once&) = delete;
  Once& operator=(const Once&) = delete;

  /// The first call runs f(); calls meanwhile wait, without being cancelled, and no call returns before f
  /// has. When f throws, the exception leaves this call and the next one runs its f. Calling it from f on the
  /// same Once is a deadlock.
  template <class F>
  void call(F&& f) {
    // Acquire: pairs with the release below; who sees it done sees what f did.
    if (done_.load(std::memory_order_acquire)) [[likely]]
      return;
    const std::lock_guard guard(mutex_);
    if (done_.load(std::memory_order_relaxed)) return;
    std::invoke(std::forward<F>(f));
    done_.store(true, std::memory_order_release);
  }

 private:
  std::atomic<bool> done_{false};
  Mutex mutex_;
};

/// Lets goroutines go on when a given number of them has arrived; then starts anew.
class Barrier {
 public:
  /// `parties` is 1 or more, or it is a fatal error.
  constexpr explicit Barrier(std::uint32_t parties) : parties_(parties) {
    if (parties == 0) [[unlikely]]
      misused("a Barrier needs at least one party");
  }
  Barrier(const Barrier&) = delete;
  Barrier& operator=(const Barrier&) = delete;

  /// Waits until `parties` goroutines have arrived; true for the last of them. Parks the goroutine. Throws
  /// Cancelled; then it has not arrived.
  bool arrive_and_wait();
  bool wait() { return arrive_and_wait(); }

 private:
  [[noreturn]] void misused(const char* what) const;

  detail::SpinLock lock_;
  const std::uint32_t parties_;
  std::uint32_t arrived_ = 0;
  detail::WaitQueue waiters_;
};

template <>
struct is_leaf<ConditionVariable> : std::true_type {};
template <>
struct is_leaf<Semaphore> : std::true_type {};
template <>
struct is_leaf<Once> : std::true_type {};
template <>
struct is_leaf<Barrier> : std::true_type {};

}  // namespace tandem
