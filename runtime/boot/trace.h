#pragma once
// Recording a run for traces (Options::trace, trace_buffer), and write_trace().

#include <memory>

#include <tandem/runtime.h>

#include "runtime/seam/trace.h"

namespace tandem::boot {

/// What the options ask to be recorded; null: nothing. Throws std::bad_alloc.
std::shared_ptr<seam::Trace> make_trace(const Options& options);

/// Options::trace: when all goroutines have ended and no thread runs. Reports what goes wrong on stderr.
void write_trace_of_run(const Options& options, const std::shared_ptr<seam::Trace>& trace) noexcept;

}  // namespace tandem::boot
