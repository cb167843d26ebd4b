#pragma once
// The few words of the runtime that user code reads inline: everything a fast path needs, and nothing else.
// Each word says who writes it. The records continue as seam::Goroutine and seam::Processor inside the library.

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace tandem::detail {

/// Free cells that one processor owns for one layout: up to 64 neighbouring cells of one block, that is one word of
/// the block's bitmap. Taking a cell is a count-trailing-zeros. Written by the owning processor only.
struct AllocationWindow {
  std::uint64_t free_cells = 0;     ///< bit i set: cell i, counted from first_cell, is free and zeroed on demand
  std::byte* first_cell = nullptr;  ///< address of cell 0 of the window
};

/// First words of a processor (P).
struct ProcessorWords {
  AllocationWindow* windows = nullptr;  ///< indexed by layout number; fixed while the runtime runs
};

/// First word of a goroutine descriptor (G).
struct GoroutineWords {
  ProcessorWords* processor = nullptr;  ///< where this goroutine runs; rewritten by the scheduler at every switch
};

/// Finds the goroutine that owns a stack address: one subtraction, one comparison, one load. Never a thread_local:
/// compilers keep the address of one across a switch that changes the thread. Written once, before any goroutine runs.
struct StackMap {
  std::uintptr_t base = 0;
  std::uintptr_t bytes = 0;
  std::atomic<GoroutineWords*>* owner_by_granule = nullptr;
};
inline constexpr unsigned kStackGranuleShift = 16;
inline constexpr std::size_t kStackGranuleBytes = std::size_t{1} << kStackGranuleShift;
extern constinit StackMap stack_map;

/// Bits of GlobalWords::barrier.
enum BarrierBits : std::uint8_t {
  kBarrierOldValues = 1,  ///< a store to a managed slot shades the value it overwrites
  kBarrierLoads = 2,      ///< some stack is unscanned: loads and copies of Locals shade what they read
  kBarrierNewValues = 4,  ///< a store, the first one to a slot too, shades the new value
  kBarrierSummaries = 8,  ///< changes of Locals on others' stacks are told to the collector (gc/stack_summary.h)
  kBarrierStores = kBarrierOldValues | kBarrierNewValues,
};

struct alignas(64) GlobalWords {
  /// Number of processors that have a request pending. A safepoint looks further only when it is not zero.
  std::atomic<std::uint32_t> poll{0};
  /// BarrierBits; written by the collector at phase changes (seam/phase.h).
  std::atomic<std::uint8_t> barrier{0};
};
extern constinit GlobalWords global_words;

/// Stack pointer of the calling function. Not volatile: it names the same goroutine throughout a function.
[[gnu::always_inline]] inline std::uintptr_t stack_pointer() {
  std::uintptr_t sp;
#if defined(__x86_64__)
  asm("movq %%rsp, %0" : "=r"(sp));
#elif defined(__aarch64__)
  asm("mov %0, sp" : "=r"(sp));
#else
#error "tandem supports x86-64 and aarch64"
#endif
  return sp;
}

/// The goroutine whose stack contains `address`, or null when no goroutine stack does.
[[gnu::always_inline]] inline GoroutineWords* goroutine_of(std::uintptr_t address) {
  const std::uintptr_t offset = address - stack_map.base;
  if (offset >= stack_map.bytes) [[unlikely]]
    return nullptr;
  return stack_map.owner_by_granule[offset >> kStackGranuleShift].load(std::memory_order_relaxed);
}

/// The running goroutine, or null on a thread's own stack.
[[gnu::always_inline]] inline GoroutineWords* current_goroutine() { return goroutine_of(stack_pointer()); }

/// Does the calling function run on a goroutine's stack?
[[gnu::always_inline]] inline bool on_goroutine_stack() { return stack_pointer() - stack_map.base < stack_map.bytes; }

/// The running goroutine where one must run: skips the range check. Calling it elsewhere is undefined.
[[gnu::always_inline]] inline GoroutineWords* current_goroutine_unchecked() {
  return stack_map.owner_by_granule[(stack_pointer() - stack_map.base) >> kStackGranuleShift].load(
      std::memory_order_relaxed);
}

/// Serves the requests of this processor: handshake, collector work, preemption. May park the goroutine.
void safepoint_slow();

}  // namespace tandem::detail
