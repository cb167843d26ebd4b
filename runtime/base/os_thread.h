// An operating system thread with a name and a stack that is large enough for foreign code.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <pthread.h>

#include "runtime/base/parker.h"

namespace tandem::base {

inline constexpr std::size_t kThreadStackBytes = std::size_t{8} << 20;  // address space; pages come on demand

// Join before destruction. Signals are blocked or not as in the thread that starts it.
class Thread {
 public:
  Thread() noexcept = default;
  ~Thread();
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

  // Runs body on a new thread. `name` is cut to the kernel's 15 characters. Throws std::system_error if the
  // system has no thread to give, std::bad_alloc if no memory. An exception that leaves body terminates the
  // process.
  void start(const char* name, std::function<void()> body, std::size_t stack_bytes = kThreadStackBytes);

  // Blocks until body has returned. Only after start; once.
  void join() noexcept;

  bool joinable() const noexcept { return started_; }
  pthread_t handle() const noexcept { return handle_; }

 private:
  pthread_t handle_{};
  bool started_ = false;
};

// CPUs that this process may use, at least 1.
std::uint32_t usable_cpus() noexcept;

// Asks the kernel to let the calling thread run as soon as it wakes: a short slice goes before threads in the middle of a
// long one (EEVDF, Linux 6.12 and later; needs no privilege). Without it a thread that wakes on a busy machine waits for
// the next timer tick, 4 ms. A hint: where the kernel does not know it, nothing changes.
void prefer_to_run_at_once() noexcept;

}  // namespace tandem::base
