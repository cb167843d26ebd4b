// Backtraces by frame pointers, of the running code and of suspended goroutines, which no unwinder of the C++
// runtime can start from.
//
// Needs code compiled with -fno-omit-frame-pointer, as the library's targets are and hand to their users;
// foreign code without it shortens a backtrace but never makes it unsafe: every frame is checked to lie
// inside the given bounds, above the last one.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tandem::base {

inline constexpr std::size_t kBacktraceFramesMax = 64;

// Where a walk begins: the frame pointer and, if known, the address being executed in that frame (null: left
// out).
struct FramePosition {
  const void* frame = nullptr;
  const void* pc = nullptr;
};

// The caller's own position; for walking the current stack.
[[gnu::always_inline]] inline FramePosition current_frame() noexcept { return {__builtin_frame_address(0), nullptr}; }

// From a signal handler's ucontext_t: the interrupted code.
FramePosition interrupted_frame(const void* ucontext) noexcept;
// Likewise its stack pointer: on the stack that it runs on even where code without frame pointers was interrupted.
void* interrupted_stack_pointer(const void* ucontext) noexcept;

// Fills pcs with at most `capacity` addresses, innermost first; the ones after the first are return
// addresses. [low, high) is the readable stack that the frames must lie on. Async-signal-safe.
std::size_t capture_backtrace(FramePosition from, const void* low, const void* high, void** pcs,
                              std::size_t capacity) noexcept;

// The bounds of the calling thread's own stack (not a goroutine's). False if unknown.
bool thread_stack_bounds(const void** low, const void** high) noexcept;

enum class Names {
  demangled,  // allocates; not from signal handlers
  raw,        // allocates nothing, but takes the dynamic loader's lock
};

// One line a frame: "  #3  name+0x1c (module+0x1234)". Static functions have no name unless the program
// exports them; module+offset is what addr2line wants. Writes to the descriptor, unbuffered.
void print_backtrace(int descriptor, void* const* pcs, std::size_t count, Names names = Names::demangled) noexcept;

}  // namespace tandem::base
