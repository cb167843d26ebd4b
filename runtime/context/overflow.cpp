#include "runtime/context/overflow.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/base/assert.h"
#include "runtime/base/os_memory.h"

namespace tandem::context {
namespace {

// An AVX-512 signal frame is 3.4 KiB; the reporter prints a backtrace. Below it lies a page that faults.
constexpr std::size_t kSignalStackBytes = std::size_t{64} << 10;
constexpr std::size_t kSignalStackBytesMin = std::size_t{16} << 10;

// At the deep end of each of our signal stacks, so that removing tells ours from somebody else's.
struct SignalStackMark {
  std::uint64_t magic;
  void* self;
};
constexpr std::uint64_t kSignalStackMagic = 0x7A4DE451645741C4;

struct Handler {
  const StackArena* arena = nullptr;
  OverflowReporter reporter = nullptr;
  struct sigaction previous_segv{};
  struct sigaction previous_bus{};
  bool installed = false;
};
Handler handler;  // changed only while no goroutine runs, hence not during a fault of one

// One thread overflows, another follows: the second waits here until the first has ended the process.
std::atomic_flag reporting = ATOMIC_FLAG_INIT;
base::FramePosition position;  // by whoever holds `reporting`

void die_by_default(int signal, const siginfo_t* info) noexcept {
  struct sigaction action{};
  action.sa_handler = SIG_DFL;
  ::sigaction(signal, &action, nullptr);
  // A fault happens again when we return; a signal that somebody sent does not.
  if (info->si_code <= 0) ::raise(signal);
}

void chain(int signal, siginfo_t* info, void* context) noexcept {
  const struct sigaction& previous = signal == SIGSEGV ? handler.previous_segv : handler.previous_bus;
  if ((previous.sa_flags & SA_SIGINFO) != 0 && previous.sa_sigaction != nullptr) {
    previous.sa_sigaction(signal, info, context);
  } else if (previous.sa_handler == SIG_IGN && info->si_code <= 0) {
    return;  // sent, and ignored; a fault cannot be
  } else if (previous.sa_handler == SIG_DFL || previous.sa_handler == SIG_IGN) {
    die_by_default(signal, info);
  } else {
    previous.sa_handler(signal);
  }
}

void on_fault(int signal, siginfo_t* info, void* context) noexcept {
  const int saved_errno = errno;
  const StackArena* arena = handler.arena;
  if (info->si_code > 0 && arena != nullptr && arena->is_guard_hit(info->si_addr)) {
    while (reporting.test_and_set(std::memory_order_acquire)) ::pause();
    position = base::interrupted_frame(context);
    handler.reporter(arena->owner_of(info->si_addr), info->si_addr);
  }
  chain(signal, info, context);
  errno = saved_errno;
}

void install(int signal, struct sigaction* previous) noexcept {
  struct sigaction action{};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  ::sigemptyset(&action.sa_mask);
  TANDEM_CHECK(::sigaction(signal, &action, previous) == 0, "sigaction refuses a handler for memory faults");
}

void uninstall(int signal, const struct sigaction& previous) noexcept {
  struct sigaction current{};
  ::sigaction(signal, nullptr, &current);
  if ((current.sa_flags & SA_SIGINFO) != 0 && current.sa_sigaction == on_fault) ::sigaction(signal, &previous, nullptr);
}

}  // namespace

void install_overflow_handler(const StackArena& arena, OverflowReporter reporter) noexcept {
  handler.arena = &arena;
  handler.reporter = reporter;
  if (handler.installed) return;
  handler.installed = true;
  install(SIGSEGV, &handler.previous_segv);
  install(SIGBUS, &handler.previous_bus);
}

void remove_overflow_handler() noexcept {
  if (!handler.installed) return;
  uninstall(SIGSEGV, handler.previous_segv);
  uninstall(SIGBUS, handler.previous_bus);
  handler.installed = false;
  handler.arena = nullptr;
}

void report_overflow_and_exit(std::uint64_t goroutine_id, const char* name, std::size_t stack_bytes) noexcept {
  const bool named = name != nullptr && *name != '\0';
  base::fatal_from_signal(
      "goroutine %llu%s%s%s overflowed its stack of %zu KiB (stack_size_max): a recursion is too deep or a "
      "local variable too large; see GoOptions::stack_size_max or ensure_stack",
      static_cast<unsigned long long>(goroutine_id), named ? " (" : "", named ? name : "", named ? ")" : "",
      stack_bytes >> 10);
}

base::FramePosition overflow_position() noexcept { return position; }

bool install_thread_signal_stack() noexcept {
  stack_t current{};
  ::sigaltstack(nullptr, &current);
  if ((current.ss_flags & SS_DISABLE) == 0 && current.ss_size >= kSignalStackBytesMin) return true;
  const std::size_t page = base::page_bytes();
  std::byte* memory = base::reserve(page + kSignalStackBytes, page, base::Access::read_write);
  if (memory == nullptr) return false;
  ::mprotect(memory, page, PROT_NONE);
  auto* mark = reinterpret_cast<SignalStackMark*>(memory + page);
  *mark = {kSignalStackMagic, mark};
  stack_t ours{};
  ours.ss_sp = memory + page;
  ours.ss_size = kSignalStackBytes;
  if (::sigaltstack(&ours, nullptr) == 0) return true;
  base::release(memory, page + kSignalStackBytes);
  return false;
}

void remove_thread_signal_stack() noexcept {
  stack_t current{};
  ::sigaltstack(nullptr, &current);
  if ((current.ss_flags & SS_DISABLE) != 0 || current.ss_size != kSignalStackBytes) return;
  const auto* mark = static_cast<const SignalStackMark*>(current.ss_sp);
  if (mark->magic != kSignalStackMagic || mark->self != mark) return;
  stack_t disabled{};
  disabled.ss_flags = SS_DISABLE;
  ::sigaltstack(&disabled, nullptr);
  const std::size_t page = base::page_bytes();
  base::release(static_cast<std::byte*>(current.ss_sp) - page, page + kSignalStackBytes);
}

}  // namespace tandem::context
