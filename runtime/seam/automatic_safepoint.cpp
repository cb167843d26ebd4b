// The poll of tandem::automatic_safepoints: what -fsanitize-coverage=trace-pc makes the compiler call in every basic block of a
// source that is compiled with it. An object of its own, which is linked only where such a source is.

#include "runtime/seam/goroutine.h"
#include "runtime/seam/safepoint.h"
#include "tandem/detail/indivisible.h"

#pragma GCC diagnostic ignored "-Winvalid-offsetof"  // supported by g++ and clang, whatever the base

namespace tandem::seam {

static_assert(offsetof(Goroutine, indivisible_depth) == detail::kIndivisibleDepthOffset);

namespace {

[[gnu::noinline, gnu::cold]] void automatic_safepoint() {
  Goroutine* const self = current_goroutine();
  if (self == nullptr || self->indivisible_depth != 0) return;
  // In blocking(f) the processor may belong to somebody else by now.
  if ((self->state.load(std::memory_order_relaxed) & kStateMask) != kRunning) return;
  detail::safepoint_slow();
}

}  // namespace

}  // namespace tandem::seam

extern "C" void __sanitizer_cov_trace_pc() {
  if (tandem::detail::global_words.poll.load(std::memory_order_relaxed) != 0) [[unlikely]]
    tandem::seam::automatic_safepoint();
}
