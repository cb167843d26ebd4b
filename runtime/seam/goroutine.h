#pragma once
// The goroutine descriptor. Its state is the ownership of its stack.
//
//   state       linked where                         who may touch the stack
//   --------    ---------------------------------    -------------------------------------------------------------
//   dead        free list of the table               nobody
//   runnable    exactly one run queue                whoever claims it; whoever dequeued it
//   running     Processor::running of one processor  the goroutine itself (scanned by itself, at its safepoint)
//   waiting     wait queues of what it waits for     whoever claims it; the waker only changes the state
//   blocked     nowhere (in blocking(f))             f below context.sp; above it, whoever claims it
//
// Transitions and who makes them:
//   dead -> waiting (embryo)  the creator, in begin_spawn: the closure is under construction and already scannable
//   waiting -> runnable       the creator (finish_spawn) or the one waker that won the ticket (sched/park.h)
//   runnable -> running       the worker that dequeued it
//   running -> waiting | runnable   the goroutine itself, published by the *next* context after the switch
//   running <-> blocked       the goroutine itself
//   running -> dead           the goroutine itself, published after the switch
//
// kScanClaim is or-ed to runnable, waiting or blocked by the collector worker that scans the stack. Claims are made only
// between handshake 2 and the end of the cycle; a processor that has acknowledged handshake 2 (scan_mode != kNone) makes
// its transitions by compare-and-swap, all others by plain stores: the handshake is what makes the cheap form safe.
// A wake-up that meets a claim leaves kWakeNote, and the scanner makes the goroutine runnable when it is done.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "runtime/base/cache_line.h"
#include "runtime/context/context.h"
#include "runtime/context/sanitizers.h"
#include "runtime/context/stack.h"
#include "runtime/seam/held_locks.h"
#include "tandem/detail/closure.h"
#include "tandem/detail/words.h"

namespace tandem::seam {

struct Processor;

enum GoroutineState : std::uint32_t {
  kDead = 0,
  kRunnable = 1,
  kRunning = 2,
  kWaiting = 3,
  kBlocked = 4,
};
inline constexpr std::uint32_t kStateMask = 0xff;
inline constexpr std::uint32_t kScanClaim = 0x100;
inline constexpr std::uint32_t kWakeNote = 0x200;

using detail::ClosureOperations;

/// Why a parked goroutine came back.
enum class WakeReason : std::uint32_t { kReady, kTimeout, kCancelled };

/// Bytes of closure that live in the descriptor; larger ones are allocated. Three captured Locals and a few words fit.
inline constexpr std::size_t kInlineClosureBytes = 128;

struct alignas(base::kCacheLineBytes) Goroutine : detail::GoroutineWords {
  // -- Line 1: all that a park, a wake-up, a switch and the collector's walk over parked goroutines touch.
  std::atomic<std::uint32_t> state{kDead};
  std::uint8_t flags = 0;                         // GoroutineFlags; written by the goroutine or its creator
  std::atomic<std::uint8_t> cancel_requested{0};  // set by whoever cancels it; read at every cancellable park
  /// (sequence << 1 | claimed): the waker that sets the low bit owns the wake-up.
  std::atomic<std::uint64_t> ticket{1};
  context::Context context{};                   // valid while not running; sp == null: never ran, no stack yet
  Goroutine* next = nullptr;                    // the one list it is on
  std::atomic<std::uint64_t> scanned_round{0};  // of CollectorClock::root_round: when its roots were scanned last

  // -- Line 2: what it runs, what it waits for.
  alignas(base::kCacheLineBytes) const ClosureOperations* closure_operations = nullptr;
  void* closure = nullptr;          // inline_closure or an allocated cell
  std::uint32_t closure_bytes = 0;  // scanned like a stack: [closure, closure + closure_bytes)
  /// kReady but between another kind of wake-up and the end of the park that it ended.
  std::atomic<WakeReason> wake_reason{WakeReason::kReady};
  std::uint64_t id = 0;
  const char* wait_reason = nullptr;  // static text for dumps: "channel receive", "sleep", ...
  const void* wait_object = nullptr;
  std::uint64_t wait_since_ns = 0;  // coarse (seam::coarse_now_ns)
  void* wake_value = nullptr;       // handed over by the waker (which select case, ...)

  // -- Line 3: its stack, and what few have.
  alignas(base::kCacheLineBytes) context::Stack stack{};
  std::uint32_t stack_size_max = 0;         // bytes; 0: the default of Options
  std::uint32_t indivisible_depth = 0;      // written by the goroutine, tandem/detail/indivisible.h
  std::byte* stack_base = nullptr;          // high end of the live part of the stack
  struct StackSegment* segments = nullptr;  // further segments of ensure_stack, innermost first
  const char* name = nullptr;               // owned copy or static; null: unnamed
  std::uint32_t cancellation_shields = 0;   // CancellationShield depth; owner only
  [[no_unique_address]] context::SanitizerFiber sanitizer_fiber{};
  [[no_unique_address]] std::conditional_t<kTracksHeldLocks, HeldLocks, NoHeldLocks> held_locks{};  // owner only

  alignas(base::kCacheLineBytes) std::byte inline_closure[kInlineClosureBytes]{};
};

enum GoroutineFlags : std::uint8_t {
  kRuntimeGoroutine = 1,  // finaliser and the like: not counted, not cancelled by the end of run
  kNameOwned = 2,         // name was allocated with new[] and is freed with the descriptor
  kClosureAllocated = 4,  // closure does not lie in inline_closure
  kFirstGoroutine = 8,    // runs main
  kOwnStackSize = 16,     // stack_size_max is not 0
};

/// One segment of stack on which ensure_stack runs its function; lives on the segment itself.
struct StackSegment {
  std::byte* scan_from;  // saved stack pointer of the segment below (the caller's frames start here)
  std::byte* scan_to;    // its base
  StackSegment* outer;
};

inline Goroutine* current_goroutine() { return static_cast<Goroutine*>(detail::current_goroutine()); }

}  // namespace tandem::seam
