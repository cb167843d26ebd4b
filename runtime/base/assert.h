// What happens when something that cannot happen happens, and the one way to end the process with a message.
//
// TANDEM_CHECK   always on, for cold paths: our bug, or a misuse that would corrupt memory. Prints and
// aborts. TANDEM_ASSERT  only where TANDEM_DEBUG_CHECKS is 1, for hot paths: our bug. Prints and aborts.
// fatal          the program cannot go on (deadlock, stack overflow). Prints and exits with status 2, as Go
// does.
//
// Errors that are the world's fault are exceptions or error codes and never come here.
#pragma once

#include <cstddef>

namespace tandem::base {

// Both are usable from any thread, with any lock held; neither allocates.
[[noreturn, gnu::cold]] void check_failed(const char* file, int line, const char* condition,
                                          const char* message) noexcept;

// Prints "fatal: <message>\n" to stderr, flushes stdout (unless another thread holds its lock) and exits with
// status 2 without running destructors or atexit handlers: other threads are still running.
[[noreturn, gnu::cold, gnu::format(printf, 1, 2)]] void fatal(const char* format, ...) noexcept;

// As fatal, for signal handlers: stdout is left alone, since the interrupted code may be in the middle of it.
[[noreturn, gnu::cold, gnu::format(printf, 1, 2)]] void fatal_from_signal(const char* format, ...) noexcept;

// Writes all of it to stderr by write(2), through short writes and interruptions; keeps errno.
void write_stderr(const char* text, std::size_t length) noexcept;

}  // namespace tandem::base

#define TANDEM_CHECK(condition, message)                     \
  (__builtin_expect(!!(condition), 1) ? static_cast<void>(0) \
                                      : ::tandem::base::check_failed(__FILE__, __LINE__, #condition, message))

#if defined(TANDEM_DEBUG_CHECKS) && TANDEM_DEBUG_CHECKS
#define TANDEM_ASSERT(condition) TANDEM_CHECK(condition, "internal invariant does not hold")
#else
// Unevaluated, so that names used only in assertions are not reported as unused.
#define TANDEM_ASSERT(condition) static_cast<void>(sizeof(!(condition)))
#endif
