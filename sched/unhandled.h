#pragma once
// An exception that leaves a goroutine where Options::on_unhandled is not set (else: runtime/seam/unhandled.h).

namespace tandem::sched {

/// A std::terminate handler that names the goroutine, what() and, the stack being intact, where it was thrown.
void install_terminate_handler();
void remove_terminate_handler();

}  // namespace tandem::sched
