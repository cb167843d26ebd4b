#include "runtime/context/stack_pages.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>

#include "runtime/base/os_memory.h"

extern "C" {
#include <sys/pidfd.h>  // glibc 2.36 declares it without C linkage
}

namespace tandem::context {
namespace {

constexpr int kMadviseGuardInstall = 102;  // MADV_GUARD_INSTALL; kernel 6.13, not in this libc's headers
constexpr std::size_t kVectorMax = 64;

// False: not supported (before 6.13 only a few kinds of advice may be given this way), or refused; some
// ranges may have been done.
bool advise_all_at_once(const PageRange* ranges, std::size_t count, int advice) noexcept {
  if (count < 2 || count > kVectorMax) return false;
  iovec vector[kVectorMax];
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < count; ++i) {
    vector[i] = {ranges[i].address, ranges[i].bytes};
    bytes += ranges[i].bytes;
  }
  // Opened each time (under 1 us for a batch): kept over a fork, it would name the parent.
  const int self = ::pidfd_open(::getpid(), 0);
  if (self < 0) return false;
  const ssize_t advised = ::process_madvise(self, vector, count, advice, 0);
  ::close(self);
  return advised == static_cast<ssize_t>(bytes);
}

bool advise(const PageRange* ranges, std::size_t count, int advice) noexcept {
  if (advise_all_at_once(ranges, count, advice)) return true;
  bool all = true;
  for (std::size_t i = 0; i < count; ++i) all &= ::madvise(ranges[i].address, ranges[i].bytes, advice) == 0;
  return all;
}

}  // namespace

namespace {

/// Emulators say that they have taken advice which they do not know: the kernel is asked to read from there.
bool cannot_be_read(const std::byte* address) noexcept {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return false;
  const bool refused = ::write(ends[1], address, 1) < 0 && errno == EFAULT;
  ::close(ends[0]);
  ::close(ends[1]);
  return refused;
}

}  // namespace

bool guard_markers_work() noexcept {
  static const bool work = [] {
    const std::size_t page = base::page_bytes();
    std::byte* probe = base::reserve(page, page, base::Access::read_write);
    if (probe == nullptr) return false;
    const bool works = ::madvise(probe, page, kMadviseGuardInstall) == 0 && cannot_be_read(probe);
    base::release(probe, page);
    return works;
  }();
  return work;
}

bool install_guard_markers(const PageRange* ranges, std::size_t count) noexcept {
  return advise(ranges, count, kMadviseGuardInstall);
}

bool protect_guard(const PageRange& range) noexcept { return ::mprotect(range.address, range.bytes, PROT_NONE) == 0; }

void drop_pages(const PageRange* ranges, std::size_t count) noexcept { advise(ranges, count, MADV_DONTNEED); }

}  // namespace tandem::context
