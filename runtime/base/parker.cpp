#include "runtime/base/parker.h"

#include <cerrno>
#include <ctime>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tandem::base {
namespace {

static_assert(sizeof(std::atomic<std::uint32_t>) == 4 && std::atomic<std::uint32_t>::is_always_lock_free,
              "the kernel compares the word itself");

// Sleeps while *word == expected, until `deadline` (CLOCK_MONOTONIC, absolute; null: for ever). False: the
// deadline passed.
bool futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t expected, const timespec* deadline) noexcept {
  const int saved_errno = errno;
  const long result =
      ::syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, expected, deadline, nullptr, FUTEX_BITSET_MATCH_ANY);
  const bool timed_out = result != 0 && errno == ETIMEDOUT;
  errno = saved_errno;
  return !timed_out;
}

void futex_wake_one(std::atomic<std::uint32_t>& word) noexcept {
  const int saved_errno = errno;
  ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  errno = saved_errno;
}

}  // namespace

// True: there was a token and we took it. False: the state is kParked and we may sleep.
bool Parker::announce_or_take() noexcept {
  std::uint32_t expected = kEmpty;
  // Relaxed on success: we publish nothing. On failure the state is kToken (only the owner sets the others).
  if (state_.compare_exchange_strong(expected, kParked, std::memory_order_relaxed)) return false;
  state_.exchange(kEmpty, std::memory_order_acquire);  // pairs with the release in unpark
  return true;
}

void Parker::park() noexcept {
  if (announce_or_take()) return;
  std::uint32_t token = kToken;
  do {
    futex_wait(state_, kParked, nullptr);
    token = kToken;  // woken, interrupted or spuriously: only the word tells. Acquire pairs with unpark.
  } while (!state_.compare_exchange_strong(token, kEmpty, std::memory_order_acquire, std::memory_order_relaxed));
}

bool Parker::park_for(std::uint64_t timeout_ns) noexcept {
  if (announce_or_take()) return true;
  timespec deadline;
  ::clock_gettime(CLOCK_MONOTONIC, &deadline);
  constexpr std::uint64_t kSecondNs = 1'000'000'000;
  constexpr std::uint64_t kTimeoutNsMax = std::uint64_t{1} << 60;  // 36 years: keeps the sum below in range
  if (timeout_ns > kTimeoutNsMax) timeout_ns = kTimeoutNsMax;
  const std::uint64_t nanoseconds = static_cast<std::uint64_t>(deadline.tv_nsec) + timeout_ns % kSecondNs;
  deadline.tv_sec += static_cast<time_t>(timeout_ns / kSecondNs + nanoseconds / kSecondNs);
  deadline.tv_nsec = static_cast<long>(nanoseconds % kSecondNs);
  for (;;) {
    const bool in_time = futex_wait(state_, kParked, &deadline);
    std::uint32_t token = kToken;
    if (state_.compare_exchange_strong(token, kEmpty, std::memory_order_acquire, std::memory_order_relaxed))
      return true;
    if (in_time) continue;
    // Back to empty; a token that came in this moment is taken. Acquire for that case.
    return state_.exchange(kEmpty, std::memory_order_acquire) == kToken;
  }
}

void Parker::unpark() noexcept {
  // Release: what we did before is visible to the owner that takes the token.
  if (state_.exchange(kToken, std::memory_order_release) == kParked) futex_wake_one(state_);
}

}  // namespace tandem::base
