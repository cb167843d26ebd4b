#pragma once
// An exception that leaves a goroutine.

namespace tandem::seam {
struct Goroutine;
}

namespace tandem::sched {

/// A std::terminate handler that names the goroutine, what() and, the stack being intact, where it was thrown.
void install_terminate_handler();
void remove_terminate_handler();

/// Calls Options::on_unhandled; inside the handler of the exception.
void report_unhandled(seam::Goroutine& goroutine);

}  // namespace tandem::sched
