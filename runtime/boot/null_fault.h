#pragma once
// Says what happened when a goroutine dereferences a null reference. Nothing tests for null on the way: the
// fault does.
//
// A handler for SIGSEGV in the first 64 KiB of the address space, which Linux never maps (vm.mmap_min_addr),
// by code on a goroutine's stack: a message with the goroutine and its backtrace, exit status 2. All other
// faults go to the handler that was installed before. Installed before the one for stack overflows, which
// hands on what it does not know.

namespace tandem::boot {

/// While no goroutine runs; in pairs.
void install_null_fault_handler() noexcept;
void remove_null_fault_handler() noexcept;

}  // namespace tandem::boot
