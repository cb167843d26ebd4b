#include "sched/running_backtrace.h"

#include <cerrno>
#include <csignal>
#include <mutex>

#include "runtime/base/clock.h"
#include "runtime/seam/registry.h"
#include "sched/monitor.h"
#include "sched/shared.h"

namespace tandem::sched {

namespace {

constexpr std::uint64_t kAnswerNs = 100'000'000;

/// The one question in flight.
struct Question {
  std::mutex asker;
  std::atomic<RunningBacktrace*> wanted{nullptr};  // the handler takes it by exchange
  std::atomic<bool> answered{false};
};
Question question;

struct sigaction previous_urg, previous_quit;

void answer(int, siginfo_t*, void* ucontext) {
  RunningBacktrace* const result = question.wanted.exchange(nullptr, std::memory_order_acq_rel);
  if (result == nullptr) return;  // somebody else's SIGURG
  const int saved_errno = errno;
  void* const sp = base::interrupted_stack_pointer(ucontext);
  auto* const goroutine = static_cast<Goroutine*>(detail::goroutine_of(reinterpret_cast<std::uintptr_t>(sp)));
  result->goroutine = goroutine;
  result->count = 0;
  if (goroutine != nullptr)
    result->count = base::capture_backtrace(base::interrupted_frame(ucontext), sp, goroutine->stack_base, result->pcs,
                                            base::kBacktraceFramesMax);
  question.answered.store(true, std::memory_order_release);
  errno = saved_errno;
}

void quit(int) {
  const int saved_errno = errno;
  request_dump();
  errno = saved_errno;
}

}  // namespace

bool backtrace_of(const Worker& worker, RunningBacktrace& result) {
  if (!worker.alive.load(std::memory_order_acquire) || pthread_equal(worker.handle, pthread_self())) return false;
  const std::lock_guard guard(question.asker);
  question.answered.store(false, std::memory_order_relaxed);
  question.wanted.store(&result, std::memory_order_release);
  if (pthread_kill(worker.handle, SIGURG) == 0) {
    const std::uint64_t end = base::real_now_ns() + kAnswerNs;
    while (!question.answered.load(std::memory_order_acquire) && base::real_now_ns() < end) ::sched_yield();
  }
  // Withdraw it; if the handler has taken it, it is about to answer.
  if (question.wanted.exchange(nullptr, std::memory_order_acq_rel) != nullptr) return false;
  while (!question.answered.load(std::memory_order_acquire)) ::sched_yield();
  return true;
}

void install_signal_handlers() {
  struct sigaction action{};
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  sigemptyset(&action.sa_mask);
  action.sa_sigaction = &answer;
  sigaction(SIGURG, &action, &previous_urg);
  struct sigaction on_quit{};
  on_quit.sa_flags = SA_ONSTACK | SA_RESTART;
  sigemptyset(&on_quit.sa_mask);
  on_quit.sa_handler = &quit;
  sigaction(SIGQUIT, &on_quit, &previous_quit);
}

void remove_signal_handlers() {
  sigaction(SIGURG, &previous_urg, nullptr);
  sigaction(SIGQUIT, &previous_quit, nullptr);
}

}  // namespace tandem::sched
