#include "runtime/boot/null_fault.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

#include "runtime/base/assert.h"
#include "runtime/base/backtrace.h"
#include "runtime/seam/goroutine.h"

namespace tandem::boot {

namespace {

constexpr std::uintptr_t kNullPageBytes = 65536;

struct sigaction previous{};  // changed only while no goroutine runs

// One goroutine faults, another follows: the second waits until the first has ended the process.
std::atomic_flag reporting = ATOMIC_FLAG_INIT;

[[noreturn]] void report(const seam::Goroutine& goroutine, std::uintptr_t address, void* context) noexcept {
  while (reporting.test_and_set(std::memory_order_acquire)) ::pause();
  void* pcs[base::kBacktraceFramesMax];
  const std::size_t count =
      base::capture_backtrace(base::interrupted_frame(context), base::interrupted_stack_pointer(context),
                              goroutine.stack.high, pcs, base::kBacktraceFramesMax);
  base::print_backtrace(STDERR_FILENO, pcs, count, base::Names::raw);
  const bool named = goroutine.name != nullptr && *goroutine.name != '\0';
  base::fatal_from_signal(
      "goroutine %llu%s%s%s dereferenced a null reference (address %zu): a Local, Member or Persistent is "
      "null until "
      "something is assigned to it; test it as a bool first",
      static_cast<unsigned long long>(goroutine.id), named ? " (" : "", named ? goroutine.name : "", named ? ")" : "",
      static_cast<std::size_t>(address));
}

void chain(int signal, siginfo_t* info, void* context) noexcept {
  if ((previous.sa_flags & SA_SIGINFO) != 0) return previous.sa_sigaction(signal, info, context);
  if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) return previous.sa_handler(signal);
  if (previous.sa_handler == SIG_IGN && info->si_code <= 0) return;
  // The default: a fault happens again when we return, a signal that somebody sent does not.
  struct sigaction action{};
  action.sa_handler = SIG_DFL;
  ::sigaction(signal, &action, nullptr);
  if (info->si_code <= 0) ::raise(signal);
}

void on_fault(int signal, siginfo_t* info, void* context) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  // Not SI_KERNEL: a general protection fault (an address that is no address) has no si_addr.
  const bool is_access = info->si_code == SEGV_MAPERR || info->si_code == SEGV_ACCERR;
  if (is_access && address < kNullPageBytes)
    if (auto* goroutine =
            detail::goroutine_of(reinterpret_cast<std::uintptr_t>(base::interrupted_stack_pointer(context))))
      report(static_cast<seam::Goroutine&>(*goroutine), address, context);
  chain(signal, info, context);
}

}  // namespace

void install_null_fault_handler() noexcept {
  struct sigaction action{};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  ::sigemptyset(&action.sa_mask);
  TANDEM_CHECK(::sigaction(SIGSEGV, &action, &previous) == 0, "sigaction refuses a handler for memory faults");
}

void remove_null_fault_handler() noexcept {
  struct sigaction current{};
  ::sigaction(SIGSEGV, nullptr, &current);
  if ((current.sa_flags & SA_SIGINFO) != 0 && current.sa_sigaction == on_fault)
    ::sigaction(SIGSEGV, &previous, nullptr);
}

}  // namespace tandem::boot
