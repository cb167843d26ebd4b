#include "runtime/base/os_memory.h"

#include <cerrno>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/base/assert.h"
#include "runtime/base/bits.h"

namespace tandem::base {

namespace {

constexpr int kMadvisePopulateWrite = 23;  // MADV_POPULATE_WRITE; kernel 5.14, not in this libc's headers

void touch(std::byte* page) noexcept { *static_cast<volatile std::byte*>(page) = std::byte{0}; }

}  // namespace

std::byte* reserve(std::size_t bytes, std::size_t alignment, Access access) noexcept {
  const std::size_t page = page_bytes();
  TANDEM_CHECK(is_power_of_two(alignment) && alignment >= page, "alignment must be a power of two, at least a page");
  bytes = round_up(bytes, page);
  const std::size_t slack = alignment > page ? alignment - page : 0;
  if (bytes == 0 || bytes + slack < bytes) return nullptr;
  const int protection = access == Access::none ? PROT_NONE : PROT_READ | PROT_WRITE;
  void* mapped = ::mmap(nullptr, bytes + slack, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  auto* first = static_cast<std::byte*>(mapped);
  std::byte* aligned = round_up(first, alignment);
  if (aligned != first) release(first, static_cast<std::size_t>(aligned - first));
  const std::size_t behind = slack - static_cast<std::size_t>(aligned - first);
  if (behind != 0) release(aligned + bytes, behind);
  return aligned;
}

bool commit(std::byte* address, std::size_t bytes) noexcept {
  return ::mprotect(address, bytes, PROT_READ | PROT_WRITE) == 0;
}

bool decommit(std::byte* address, std::size_t bytes) noexcept { return ::madvise(address, bytes, MADV_DONTNEED) == 0; }

bool prefault(std::byte* address, std::size_t bytes) noexcept {
  return ::madvise(address, bytes, kMadvisePopulateWrite) == 0;
}

// The first touch takes a huge page where there are any. A fault holds the lock of one mapping only, while madvise holds the
// one that every mmap of the process waits for: so the long part, clearing 2 MiB, is left to the fault.
bool populate(std::byte* address, std::size_t bytes) noexcept {
  touch(address);
  if (prefault(address, bytes)) return true;
  if (errno != EINVAL) return false;
  for (std::size_t at = 0; at < bytes; at += page_bytes()) touch(address + at);
  return true;
}

bool any_resident(const std::byte* address, std::size_t bytes) noexcept {
  unsigned char pages[16] = {};
  const std::size_t count = (bytes + page_bytes() - 1) / page_bytes();
  TANDEM_ASSERT(count <= sizeof pages);
  if (::mincore(const_cast<std::byte*>(address), bytes, pages) != 0) return true;  // to be on the safe side
  for (std::size_t i = 0; i < count; ++i)
    if ((pages[i] & 1) != 0) return true;
  return false;
}

void no_huge_pages(std::byte* address, std::size_t bytes) noexcept { ::madvise(address, bytes, MADV_NOHUGEPAGE); }

void huge_pages(std::byte* address, std::size_t bytes) noexcept { ::madvise(address, bytes, MADV_HUGEPAGE); }

void release(std::byte* address, std::size_t bytes) noexcept {
  TANDEM_CHECK(::munmap(address, bytes) == 0, "munmap refuses a range that this process should have mapped");
}

std::size_t page_bytes() noexcept {
  static const std::size_t bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return bytes;
}

}  // namespace tandem::base
