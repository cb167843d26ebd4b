// The kernel's operations on pages of many stacks at once, and which of them this kernel has.
#pragma once

#include <cstddef>

namespace tandem::context {

struct PageRange {
  std::byte* address;
  std::size_t bytes;
};

// Whether this kernel has MADV_GUARD_INSTALL; asked once.
bool guard_markers_work() noexcept;

// Makes accesses to the ranges fault, without a mapping each. One system call for all where the kernel can.
// False: it refused.
bool install_guard_markers(const PageRange* ranges, std::size_t count) noexcept;

// The same by mprotect: two mappings each. False: vm.max_map_count is reached.
bool protect_guard(const PageRange& range) noexcept;

// Gives the pages back to the system; guard markers stay.
void drop_pages(const PageRange* ranges, std::size_t count) noexcept;

}  // namespace tandem::context
