#pragma once
/// \file
/// Mutex and SharedMutex: locks that park the goroutine, never the thread. Part of sync.h.
///
/// \code
///   tandem::Mutex mutex;
///   { std::lock_guard lock(mutex);  ++shared_counter; }
/// \endcode
///
/// What is held across a call that parks must be one of these, never a std::mutex or std::shared_mutex: debug builds end the
/// process when one is.

#include <atomic>
#include <cstdint>
#include <type_traits>

#include "tandem/detail/channel_core.h"
#include "tandem/detail/parallel.h"
#include "tandem/detail/wait_queue.h"

namespace tandem {

template <class T>
struct is_leaf;

/// Mutual exclusion; not recursive. Usually a lock that is freed goes to whoever asks first, running
/// goroutines included, which is fast; when a waiter has waited for more than 1 ms, it is handed on in order
/// of arrival until nobody has waited that long (Go's starvation mode). May be unlocked by another goroutine
/// than the one that locked it.
///
/// lock() parks the goroutine while the mutex is locked and never throws, Cancelled included. Unlocking a
/// mutex that is not locked is a fatal error. Constant-initialised; may be destroyed as soon as the last
/// unlock has returned. For goroutines only.
class Mutex {
 public:
  constexpr Mutex() noexcept = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void lock() {
    detail::poll_in_call();
    // Acquire: pairs with the release of the unlock that left the state 0.
    if (!detail::exchange_if_equal(state_, 0, kLocked, std::memory_order_acquire)) [[unlikely]]
      lock_slow();
  }

  [[nodiscard]] bool try_lock() noexcept {
    if (detail::exchange_if_equal(state_, 0, kLocked, std::memory_order_acquire) ||
        ((state_.load(std::memory_order_relaxed) & kLocked) == 0 && try_lock_slow()))
      return true;
    detail::poll_in_call();  // who tries again and again gives way to the holder
    return false;
  }

  void unlock() {
    // Release: pairs with the acquire of the next lock. The last access when nobody waits.
    if (!detail::exchange_if_equal(state_, kLocked, 0, std::memory_order_release)) [[unlikely]]
      unlock_slow();
  }

 private:
  // kQueueLocked guards waiters_ and, while it is set, freezes the rest of the word: both inline paths expect
  // it clear.
  static constexpr std::uint32_t kLocked = 1, kQueueLocked = 2, kWaiters = 4, kStarving = 8, kWoken = 16;

  void lock_slow();
  bool try_lock_slow() noexcept;
  void unlock_slow();

  std::atomic<std::uint32_t> state_{0};
  detail::WaitQueue waiters_;
};

/// Many readers or one writer. A writer that waits keeps new readers out, and a writer that leaves lets the
/// readers that wait in first: neither side starves. Readers must not lock it twice. Everything else as for
/// Mutex. Names as std::shared_mutex.
class SharedMutex {
 public:
  constexpr SharedMutex() noexcept = default;
  SharedMutex(const SharedMutex&) = delete;
  SharedMutex& operator=(const SharedMutex&) = delete;

  void lock() {
    detail::poll_in_call();
    // Orders as in Mutex.
    if (!detail::exchange_if_equal(state_, 0, kWriter, std::memory_order_acquire)) [[unlikely]]
      lock_slow();
  }
  [[nodiscard]] bool try_lock() noexcept {
    if (detail::exchange_if_equal(state_, 0, kWriter, std::memory_order_acquire) ||
        (state_.load(std::memory_order_relaxed) == kQueueLocked && try_lock_slow()))
      return true;
    detail::poll_in_call();
    return false;
  }
  void unlock() {
    if (!detail::exchange_if_equal(state_, kWriter, 0, std::memory_order_release)) [[unlikely]]
      unlock_slow();
  }

  void lock_shared() {
    detail::poll_in_call();
    if (!add_reader()) [[unlikely]]
      lock_shared_slow();
  }
  [[nodiscard]] bool try_lock_shared() noexcept {
    if (add_reader() || try_lock_shared_slow()) return true;
    detail::poll_in_call();
    return false;
  }
  void unlock_shared() {
    // Release: a writer that comes next sees what we read as it was.
    if (!change_readers(-kReader, kReader, std::memory_order_release)) [[unlikely]]
      unlock_shared_slow();
  }

 private:
  // As in Mutex, kQueueLocked freezes the word. Readers are counted from kReader on.
  static constexpr std::uint32_t kWriter = 1, kQueueLocked = 2, kWaiters = 4, kNotFree = 7, kReader = 8;

  bool add_reader() noexcept { return change_readers(kReader, 0, std::memory_order_acquire); }
  /// False: it is not free, or there are less than `at_least` (in units of kReader). Readers that come and go at the same time
  /// fail only each other's attempt, and try again here: in the slow path they would lock everybody out.
  [[gnu::always_inline]] bool change_readers(std::uint32_t change, std::uint32_t at_least,
                                             std::memory_order order) noexcept {
    for (std::uint32_t state = state_.load(std::memory_order_relaxed); (state & kNotFree) == 0 && state >= at_least;
         state = state_.load(std::memory_order_relaxed))
      if (detail::exchange_if_equal(state_, state, state + change, order)) [[likely]]
        return true;
    return false;
  }
  void lock_slow();
  bool try_lock_slow() noexcept;
  void unlock_slow();
  void lock_shared_slow();
  bool try_lock_shared_slow() noexcept;
  void unlock_shared_slow();
  std::uint32_t grant(std::uint32_t state, bool readers_first, detail::WaitQueue& woken);
  std::uint32_t waiters_bit() const noexcept { return writers_.empty() && readers_.empty() ? 0 : kWaiters; }

  std::atomic<std::uint32_t> state_{0};
  detail::WaitQueue writers_;
  detail::WaitQueue readers_;
};

template <>
struct is_leaf<Mutex> : std::true_type {};
template <>
struct is_leaf<SharedMutex> : std::true_type {};

}  // namespace tandem
