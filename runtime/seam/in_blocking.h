#pragma once
// Calls of the library by the f of blocking(f). There the goroutine has no processor: what it still points to may be driven by
// another worker, so what would use it is a fatal error.

#include "runtime/seam/goroutine.h"

namespace tandem::seam {

[[noreturn, gnu::cold]] void fatal_in_blocking(const char* operation);

/// `self` runs: on a processor, or in the f of blocking(f). One load from a line that whoever asks is about to use.
[[gnu::always_inline]] inline void refuse_in_blocking(const Goroutine& self, const char* operation) {
  if (self.state.load(std::memory_order_relaxed) != kRunning) [[unlikely]]
    fatal_in_blocking(operation);
}

}  // namespace tandem::seam
