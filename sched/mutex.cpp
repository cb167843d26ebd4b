// Mutex: the contended paths.
//
// Normal mode: an unlock frees the mutex and wakes the first waiter, which has to compete with running
// goroutines; kWoken says that one has been woken and has not come yet, so that further unlocks wake no more.
// Starvation mode, entered by a waiter that has lost for 1 ms: an unlock hands the mutex to the first waiter,
// and nobody else takes it.

#include "tandem/mutex.h"

#include "runtime/base/clock.h"
#include "sched/channel_operations.h"
#include "sched/lock_word.h"

namespace tandem {

using namespace sched;

namespace {

constexpr std::uint64_t kStarvationNs = 1'000'000;

/// A short section of a holder that runs on another processor ends sooner than a park takes: about 1 us.
constexpr int kSpins = 30;

struct MutexWaiter : Waiter {
  std::uint64_t since_ns = 0;
};

}  // namespace

void Mutex::lock_slow() {
  Goroutine& self = running_goroutine("Mutex::lock");
  for (int spin = 0; spin < kSpins && state_.load(std::memory_order_relaxed) == kLocked; ++spin) base::cpu_relax();

  MutexWaiter waiter;
  waiter.goroutine = &self;
  waiter.queued = false;
  bool woken = false;
  for (;;) {
    std::uint32_t state = lock_word(state_, kQueueLocked);
    if (waiter.queued) waiters_.remove(waiter);  // woken by a cancellation, which is not for locks
    if (woken) state &= ~kWoken;
    if ((state & kLocked) == 0) {
      if (waiters_.empty()) state &= ~kWaiters;
      return unlock_word(state_, state | kLocked);
    }
    const std::uint64_t now = base::now_ns();
    const bool again = waiter.since_ns != 0;
    if (!again)
      waiter.since_ns = now;
    else if (now - waiter.since_ns > kStarvationNs)
      state |= kStarving;
    waiter.ticket = open_ticket(self);
    waiter.success = false;
    again ? waiters_.push_front(waiter) : waiters_.push_back(waiter);
    const WakeReason reason = park_unlocking_word(self, "mutex lock", this, state_, state | kWaiters);
    woken = reason == WakeReason::kReady;
    if (woken && waiter.success) return;  // handed over: the word says kLocked, and that is us
  }
}

bool Mutex::try_lock_slow() noexcept {
  std::uint32_t state = lock_word(state_, kQueueLocked);
  const bool taken = (state & kLocked) == 0;
  if (taken) state |= kLocked;
  unlock_word(state_, state);
  return taken;
}

void Mutex::unlock_slow() {
  std::uint32_t state = lock_word(state_, kQueueLocked);
  if ((state & kLocked) == 0) misuse("unlock of a mutex that is not locked", "Mutex", this);
  auto* waiter = static_cast<MutexWaiter*>(nullptr);
  if (state & kStarving) {
    waiter = static_cast<MutexWaiter*>(claim_first(waiters_));
    if (waiter == nullptr) {
      state &= ~(kStarving | kLocked);
    } else {
      waiter->success = true;
      if (waiters_.empty() || base::now_ns() - waiter->since_ns < kStarvationNs) state &= ~kStarving;
    }
  } else {
    state &= ~kLocked;
    if ((state & kWoken) == 0) waiter = static_cast<MutexWaiter*>(claim_first(waiters_));
    if (waiter != nullptr) state |= kWoken;
  }
  if (waiters_.empty()) state &= ~kWaiters;
  unlock_word(state_, state);
  if (waiter != nullptr) ready(goroutine_of(*waiter), processor_of(running_goroutine("Mutex::unlock")));
}

}  // namespace tandem
