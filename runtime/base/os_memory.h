// Address space and memory from the kernel, in pages. Always through libc's mmap, never raw system calls: the
// sanitizers must see every mapping, or recycled memory gives false reports.
//
// Every function may be called from any thread; none throws. reserve answers nullptr on failure, the bool
// functions false; errno says why.
#pragma once

#include <cstddef>

namespace tandem::base {

enum class Access {
  none,        // address space only; commit() before use
  read_write,  // demand-zero pages, no swap reserved
};

// `alignment` is a power of two, at least a page. The mapping costs no memory until touched.
std::byte* reserve(std::size_t bytes, std::size_t alignment, Access access) noexcept;

// Makes a part of a reservation readable and writable. False: the kernel refuses (limits, overcommit mode 2).
[[nodiscard]] bool commit(std::byte* address, std::size_t bytes) noexcept;

// Gives the pages back at once; they read as zero afterwards and stay accessible (and guard pages stay
// guards).
bool decommit(std::byte* address, std::size_t bytes) noexcept;

// Takes memory for all of these pages now rather than when each is touched. Writes nothing: others may use them meanwhile.
// False: the kernel has none to give, or cannot (before 5.14).
bool prefault(std::byte* address, std::size_t bytes) noexcept;

// As prefault, by any kernel, and with a huge page where there are any. The caller owns the pages, and they read as zero.
bool populate(std::byte* address, std::size_t bytes) noexcept;

// Does any of these pages (64 KiB of them at most) take memory?
bool any_resident(const std::byte* address, std::size_t bytes) noexcept;

// Advice; failure is harmless (a kernel without transparent huge pages).
void no_huge_pages(std::byte* address, std::size_t bytes) noexcept;
void huge_pages(std::byte* address, std::size_t bytes) noexcept;

// Unmaps; nothing in the range may be used by anybody any more.
void release(std::byte* address, std::size_t bytes) noexcept;

std::size_t page_bytes() noexcept;

}  // namespace tandem::base
