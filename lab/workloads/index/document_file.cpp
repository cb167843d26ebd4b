#include "lab/workloads/index/document_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <system_error>

namespace lab::index {
namespace {

constexpr std::size_t kBinaryProbeBytes = 8 * 1024;
constexpr std::size_t kGrowthBytes = 64 * 1024;  // when a file turns out to be longer than fstat said

class Descriptor {
 public:
  // O_NONBLOCK: opening a named pipe must not wait for a writer. It does not matter for regular files.
  explicit Descriptor(const std::string& path) : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

DocumentFile unreadable(std::string reason) { return {FileKind::unreadable, {}, std::move(reason)}; }
DocumentFile unreadable(int error) { return unreadable(std::generic_category().message(error)); }

bool is_binary(const std::string& contents, std::size_t size) {
  const auto end = contents.begin() + static_cast<std::ptrdiff_t>(std::min(size, kBinaryProbeBytes));
  return std::find(contents.begin(), end, '\0') != end;
}

}  // namespace

DocumentFile read_document(const std::string& path) {
  const Descriptor file(path);
  if (file.get() < 0) return unreadable(errno);
  struct stat status{};
  if (fstat(file.get(), &status) != 0) return unreadable(errno);
  if (!S_ISREG(status.st_mode)) return unreadable("not a regular file");

  // One byte more than the size, so that the read that meets the end needs no growth; files of /proc have
  // size 0.
  std::string contents(static_cast<std::size_t>(status.st_size) + 1, '\0');
  std::size_t size = 0;
  while (true) {
    if (size == contents.size()) contents.resize(contents.size() + std::max(contents.size() / 2, kGrowthBytes));
    const ssize_t got = read(file.get(), contents.data() + size, contents.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return unreadable(errno);
    if (got == 0) break;
    const bool probe_complete = size >= kBinaryProbeBytes;
    size += static_cast<std::size_t>(got);
    if (!probe_complete && is_binary(contents, size)) return {FileKind::binary, {}, {}};
  }
  contents.resize(size);
  return {FileKind::text, std::move(contents), {}};
}

}  // namespace lab::index
