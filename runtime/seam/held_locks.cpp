// What the check needs and the functions that tell it are one object on purpose: whoever parks links both.

#include "runtime/seam/held_locks.h"

#if defined(TANDEM_DEBUG_CHECKS) && TANDEM_DEBUG_CHECKS && !defined(TANDEM_ADDRESS_SANITIZER) && \
    !defined(TANDEM_THREAD_SANITIZER)

#include <dlfcn.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <ctime>
#include <string_view>

#include "runtime/base/assert.h"
#include "runtime/base/backtrace.h"
#include "runtime/seam/goroutine.h"

namespace tandem::seam {

static_assert(kTracksHeldLocks);

namespace {

constexpr const char* kMutex = "std::mutex";
constexpr const char* kSharedMutex = "std::shared_mutex";

/// The C library's function of this name. Looked up before main, or at the first call if that comes earlier; the dynamic
/// loader's own locking goes another way, so this does not recur. Relaxed: everybody finds the same address, of code that has
/// been there all the time.
template <typename... Arguments>
class Real {
 public:
  using Function = int(Arguments...);

  constexpr explicit Real(const char* name) : name_(name) {}

  int operator()(Arguments... arguments) noexcept {
    Function* const function = found_.load(std::memory_order_relaxed);
    return function != nullptr ? function(arguments...) : resolve()(arguments...);
  }

  Function& resolve() noexcept {
    void* const found = ::dlsym(RTLD_NEXT, name_);
    if (found == nullptr)
      base::fatal("%s is not found: with TANDEM_DEBUG_CHECKS the C library must be linked dynamically", name_);
    auto* const function = reinterpret_cast<Function*>(found);
    found_.store(function, std::memory_order_relaxed);
    return *function;
  }

 private:
  const char* name_;
  std::atomic<Function*> found_{nullptr};
};

using MutexPointer = pthread_mutex_t*;
using RwlockPointer = pthread_rwlock_t*;
using Time = const timespec*;

constinit Real<MutexPointer> mutex_lock("pthread_mutex_lock");
constinit Real<MutexPointer> mutex_trylock("pthread_mutex_trylock");
constinit Real<MutexPointer, Time> mutex_timedlock("pthread_mutex_timedlock");
constinit Real<MutexPointer, clockid_t, Time> mutex_clocklock("pthread_mutex_clocklock");
constinit Real<MutexPointer> mutex_unlock("pthread_mutex_unlock");
constinit Real<RwlockPointer> rwlock_rdlock("pthread_rwlock_rdlock");
constinit Real<RwlockPointer> rwlock_tryrdlock("pthread_rwlock_tryrdlock");
constinit Real<RwlockPointer, Time> rwlock_timedrdlock("pthread_rwlock_timedrdlock");
constinit Real<RwlockPointer, clockid_t, Time> rwlock_clockrdlock("pthread_rwlock_clockrdlock");
constinit Real<RwlockPointer> rwlock_wrlock("pthread_rwlock_wrlock");
constinit Real<RwlockPointer> rwlock_trywrlock("pthread_rwlock_trywrlock");
constinit Real<RwlockPointer, Time> rwlock_timedwrlock("pthread_rwlock_timedwrlock");
constinit Real<RwlockPointer, clockid_t, Time> rwlock_clockwrlock("pthread_rwlock_clockwrlock");
constinit Real<RwlockPointer> rwlock_unlock("pthread_rwlock_unlock");

/// So that no lookup runs on a goroutine's stack.
[[gnu::constructor]] void resolve_all() {
  const auto resolve = [](auto&... functions) { (functions.resolve(), ...); };
  resolve(mutex_lock, mutex_trylock, mutex_timedlock, mutex_clocklock, mutex_unlock, rwlock_rdlock, rwlock_tryrdlock,
          rwlock_timedrdlock, rwlock_clockrdlock, rwlock_wrlock, rwlock_trywrlock, rwlock_timedwrlock,
          rwlock_clockwrlock, rwlock_unlock);
}

[[gnu::noinline]] void note_locked(Goroutine& self, const void* lock, const char* type, base::FramePosition from) {
  HeldLocks& held = self.held_locks;
  if (held.count == HeldLocks::kLocksMax) return;
  HeldLock& entry = held.locks[held.count++];
  entry = {lock, type, {}};
  base::capture_backtrace(from, from.frame, self.stack_base, entry.callers.data(), entry.callers.size());
}

/// The last one of that address.
[[gnu::noinline]] void note_unlocked(Goroutine& self, const void* lock) {
  HeldLocks& held = self.held_locks;
  for (std::uint32_t i = held.count; i-- > 0;) {
    if (held.locks[i].lock != lock) continue;
    std::copy(held.locks.begin() + i + 1, held.locks.begin() + held.count, held.locks.begin() + i);
    --held.count;
    return;
  }
}

/// After an attempt to lock with this `result`, which it returns. Inline: the caller's frame is the one that locks.
[[gnu::always_inline]] inline int locked(int result, const void* lock, const char* type) noexcept {
  const bool success = result == 0 || result == EOWNERDEAD;  // a robust one whose last owner died
  if (Goroutine* const self = success ? current_goroutine() : nullptr)
    note_locked(*self, lock, type, base::current_frame());
  return result;
}

/// Before it is unlocked: afterwards another goroutine may have destroyed it, and made a new one at its address.
[[gnu::always_inline]] inline void unlocks(const void* lock) noexcept {
  if (Goroutine* const self = current_goroutine()) note_unlocked(*self, lock);
}

void print_callers(void* const* callers, std::size_t count) {
  base::print_backtrace(STDERR_FILENO, callers, count, base::Names::demangled);
}

[[noreturn, gnu::cold]] void fatal_lock_held(const Goroutine& self, const HeldLock& held, const char* call) {
  const auto say = [](std::string_view text) { base::write_stderr(text.data(), text.size()); };
  say("a goroutine locks it here:\n");
  print_callers(held.callers.data(),
                std::find(held.callers.begin(), held.callers.end(), nullptr) - held.callers.begin());
  say("and parks here:\n");
  std::array<void*, base::kBacktraceFramesMax> here;
  const auto frame = base::current_frame();
  print_callers(here.data(), base::capture_backtrace(frame, frame.frame, self.stack_base, here.data(), here.size()));
  base::fatal(
      "a goroutine parks (%s) while it holds the %s %p, goroutine %llu%s%s: it may go on on another thread, and "
      "whoever "
      "wants the lock meanwhile blocks a processor; unlock it before, or use %s",
      call, held.type, held.lock, static_cast<unsigned long long>(self.id), self.name != nullptr ? " " : "",
      self.name != nullptr ? self.name : "", held.type == kMutex ? "tandem::Mutex" : "tandem::SharedMutex");
}

}  // namespace

[[gnu::noinline]] void report_held_lock(const Goroutine& self, const char* call) {
  const HeldLocks& held = self.held_locks;
  if (held.count != 0) [[unlikely]]
    fatal_lock_held(self, held.locks[held.count - 1], call);
}

}  // namespace tandem::seam

// Weak: if the program defines these functions as well, it has its own, and the check sees nothing.
// pthread_cond_wait and its like need no place here: the lock is held before and after, and nobody parks in between.
extern "C" {

using namespace tandem::seam;

[[gnu::weak]] int pthread_mutex_lock(pthread_mutex_t* lock) noexcept { return locked(mutex_lock(lock), lock, kMutex); }
[[gnu::weak]] int pthread_mutex_trylock(pthread_mutex_t* lock) noexcept {
  return locked(mutex_trylock(lock), lock, kMutex);
}
[[gnu::weak]] int pthread_mutex_timedlock(pthread_mutex_t* lock, const timespec* until) noexcept {
  return locked(mutex_timedlock(lock, until), lock, kMutex);
}
[[gnu::weak]] int pthread_mutex_clocklock(pthread_mutex_t* lock, clockid_t clock, const timespec* until) noexcept {
  return locked(mutex_clocklock(lock, clock, until), lock, kMutex);
}
[[gnu::weak]] int pthread_mutex_unlock(pthread_mutex_t* lock) noexcept {
  unlocks(lock);
  return mutex_unlock(lock);
}
[[gnu::weak]] int pthread_rwlock_rdlock(pthread_rwlock_t* lock) noexcept {
  return locked(rwlock_rdlock(lock), lock, kSharedMutex);
}
[[gnu::weak]] int pthread_rwlock_tryrdlock(pthread_rwlock_t* lock) noexcept {
  return locked(rwlock_tryrdlock(lock), lock, kSharedMutex);
}
[[gnu::weak]] int pthread_rwlock_timedrdlock(pthread_rwlock_t* lock, const timespec* until) noexcept {
  return locked(rwlock_timedrdlock(lock, until), lock, kSharedMutex);
}
[[gnu::weak]] int pthread_rwlock_clockrdlock(pthread_rwlock_t* lock, clockid_t clock, const timespec* until) noexcept {
  return locked(rwlock_clockrdlock(lock, clock, until), lock, kSharedMutex);
}
[[gnu::weak]] int pthread_rwlock_wrlock(pthread_rwlock_t* lock) noexcept {
  return locked(rwlock_wrlock(lock), lock, kSharedMutex);
}
[[gnu::weak]] int pthread_rwlock_trywrlock(pthread_rwlock_t* lock) noexcept {
  return locked(rwlock_trywrlock(lock), lock, kSharedMutex);
}
[[gnu::weak]] int pthread_rwlock_timedwrlock(pthread_rwlock_t* lock, const timespec* until) noexcept {
  return locked(rwlock_timedwrlock(lock, until), lock, kSharedMutex);
}
[[gnu::weak]] int pthread_rwlock_clockwrlock(pthread_rwlock_t* lock, clockid_t clock, const timespec* until) noexcept {
  return locked(rwlock_clockwrlock(lock, clock, until), lock, kSharedMutex);
}
[[gnu::weak]] int pthread_rwlock_unlock(pthread_rwlock_t* lock) noexcept {
  unlocks(lock);
  return rwlock_unlock(lock);
}

}  // extern "C"

#endif
