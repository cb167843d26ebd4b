#pragma once
// Where a debugger finds the goroutines of a process or a core file, by the symbol table alone: a Release build has no type
// information. Read by tools/gdb/tandem.py; a change here is a change there, and a new kVersion.

#include <cstdint>

namespace tandem::seam {

/// Words, in this order; addresses as pointers, offsets and sizes in bytes.
struct DebuggerLayout {
  static constexpr std::uint64_t kVersion = 1;

  std::uint64_t version;
  const void* table;      ///< of the pointer to descriptor 0; null before the first run
  const void* used;       ///< of the number of descriptors ever used
  const void* now_ns;     ///< of the coarse clock that wait_since_ns was read from
  const void* stack_map;  ///< of detail::StackMap: base, bytes, owners by granule of 64 KiB
  std::uint64_t goroutine_bytes;
  std::uint64_t state, flags, sp, resume, frame, id, wait_reason, wait_object, wait_since_ns, name;  ///< offsets
};

}  // namespace tandem::seam

/// Found by its name; the registry points to it, so that it is linked.
extern "C" const tandem::seam::DebuggerLayout tandem_debugger_layout;
