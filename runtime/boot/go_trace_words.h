#pragma once
// Our words in Go's.

#include <string>
#include <string_view>

#include "runtime/boot/go_trace_format.h"
#include "runtime/seam/trace.h"

namespace tandem::boot {

/// How a trace calls a park for this reason (Goroutine::wait_reason).
GoEvent block_event(std::string_view reason);

/// The label of a collector goroutine that does this kind of work. Go's views of mutator utilisation go by it.
std::string_view work_label(seam::TraceKind kind);

/// The text of a label (seam::kTraceName), which is not 0.
std::string label_text(std::uint64_t label);

/// "main::{lambda()#1}" from the mangled name of a type.
std::string demangled_type(const char* name);

}  // namespace tandem::boot
