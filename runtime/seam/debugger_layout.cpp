#include "runtime/seam/debugger_layout.h"

#include <cstddef>

#include "runtime/seam/phase.h"
#include "runtime/seam/registry.h"

// The descriptor has a base with a member, so offsetof is "conditionally supported": g++ and clang support it.
#pragma GCC diagnostic ignored "-Winvalid-offsetof"

namespace tandem::seam {

/// May look into the table.
struct DebuggerAccess {
  static constexpr const void* table = &registry.goroutines.table_;
  static constexpr const void* used = &registry.goroutines.used_;
};

}  // namespace tandem::seam

using tandem::context::Context;
using tandem::seam::DebuggerAccess;
using tandem::seam::DebuggerLayout;
using tandem::seam::Goroutine;

extern "C" [[gnu::used]] constinit const DebuggerLayout tandem_debugger_layout{
    DebuggerLayout::kVersion,
    DebuggerAccess::table,
    DebuggerAccess::used,
    &tandem::seam::coarse_now_ns,
    &tandem::detail::stack_map,
    sizeof(Goroutine),
    offsetof(Goroutine, state),
    offsetof(Goroutine, flags),
    offsetof(Goroutine, context) + offsetof(Context, sp),
    offsetof(Goroutine, context) + offsetof(Context, resume),
    offsetof(Goroutine, context) + offsetof(Context, frame),
    offsetof(Goroutine, id),
    offsetof(Goroutine, wait_reason),
    offsetof(Goroutine, wait_object),
    offsetof(Goroutine, wait_since_ns),
    offsetof(Goroutine, name),
};
