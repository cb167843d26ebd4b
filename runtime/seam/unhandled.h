#pragma once
// An exception that nobody has caught, where Options::on_unhandled is set.

namespace tandem::seam {

struct Goroutine;

/// Is there a handler? Without one nothing is caught, so that the stack is intact where std::terminate is called.
bool handles_unhandled();

/// Calls it; inside the handler of the exception, which left `goroutine` or something that the runtime called on it.
void report_unhandled(const Goroutine& goroutine);

}  // namespace tandem::seam
