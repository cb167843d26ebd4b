#include "runtime/base/assert.h"

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <unistd.h>

namespace tandem::base {
namespace {

constexpr std::size_t kMessageBytesMax = 2048;  // on the stack: goroutines have little of it

std::size_t clamp_length(int printed) noexcept {
  if (printed < 0) return 0;
  const auto length = static_cast<std::size_t>(printed);
  return length < kMessageBytesMax - 2 ? length : kMessageBytesMax - 2;  // room for the newline
}

void print_fatal(const char* format, std::va_list arguments) noexcept {
  char text[kMessageBytesMax];
  std::size_t length = clamp_length(std::snprintf(text, sizeof text, "fatal: "));
  length =
      clamp_length(static_cast<int>(length) + std::vsnprintf(text + length, sizeof text - length, format, arguments));
  text[length++] = '\n';
  write_stderr(text, length);
}

void flush_stdout_if_free() noexcept {
  if (ftrylockfile(stdout) != 0) return;  // a thread blocked in a write to stdout must not keep us from dying
  fflush_unlocked(stdout);
  funlockfile(stdout);
}

}  // namespace

void write_stderr(const char* text, std::size_t length) noexcept {
  const int saved_errno = errno;
  while (length > 0) {
    const ssize_t written = ::write(STDERR_FILENO, text, length);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    text += written;
    length -= static_cast<std::size_t>(written);
  }
  errno = saved_errno;
}

void check_failed(const char* file, int line, const char* condition, const char* message) noexcept {
  char text[kMessageBytesMax];
  std::size_t length =
      clamp_length(std::snprintf(text, sizeof text, "%s:%d: check failed: %s (%s)", file, line, message, condition));
  text[length++] = '\n';
  write_stderr(text, length);
  std::abort();
}

void fatal(const char* format, ...) noexcept {
  std::va_list arguments;
  va_start(arguments, format);
  print_fatal(format, arguments);
  va_end(arguments);
  flush_stdout_if_free();
  ::_exit(2);
}

void fatal_from_signal(const char* format, ...) noexcept {
  std::va_list arguments;
  va_start(arguments, format);
  print_fatal(format, arguments);
  va_end(arguments);
  ::_exit(2);
}

}  // namespace tandem::base
