#include "runtime/boot/write_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

namespace tandem::boot {

namespace {

/// 0, or errno.
int write_to(const std::filesystem::path& path, int flags, std::string_view contents) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC | flags, 0666);
  if (file < 0) return errno;
  int error = 0;
  while (!contents.empty() && error == 0) {
    const ssize_t written = ::write(file, contents.data(), contents.size());
    if (written > 0)
      contents.remove_prefix(static_cast<std::size_t>(written));
    else if (errno != EINTR)
      error = errno;
  }
  if (::close(file) != 0 && error == 0) error = errno;
  return error;
}

/// A rename would put a file in the place of the device.
bool is_device(const std::filesystem::path& path) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  return std::filesystem::is_other(status);
}

struct Failure {
  int reason = 0;         // errno, or 0
  std::string operation;  // what failed, if that is not writing the file itself
};

Failure write_whole(const std::filesystem::path& path, std::string_view contents) {
  if (is_device(path)) return {write_to(path, 0, contents), {}};
  std::filesystem::path unfinished = path;
  unfinished += ".unfinished";
  Failure failure{write_to(unfinished, O_CREAT | O_TRUNC, contents), "writing \"" + unfinished.string() + "\" first"};
  std::error_code error;
  if (failure.reason == 0) {
    std::filesystem::rename(unfinished, path, error);
    failure = {error.value(), "renaming \"" + unfinished.string() + "\" to it"};
  }
  if (failure.reason != 0) std::filesystem::remove(unfinished, error);
  return failure;
}

}  // namespace

void write_file(const std::filesystem::path& path, std::string_view contents, std::string_view who) {
  const Failure failure = write_whole(path, contents);
  if (failure.reason == 0) return;
  std::string text = std::string(who) + "(\"" + path.string() + "\")";
  if (!failure.operation.empty()) text += ": " + failure.operation;
  throw std::system_error(failure.reason, std::generic_category(), text);
}

}  // namespace tandem::boot
