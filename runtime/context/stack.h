// Stacks of goroutines: power-of-two, self-aligned slots in one reservation of address space.
//
// Never one mapping each: vm.max_map_count is 65,530. Growth is demand paging: a slot starts with no page
// resident, each touched page costs one fault, and no prologue checks anything. Guard pages at the low end of
// a slot are page-table markers (MADV_GUARD_INSTALL, kernel 6.13), which cost no mapping; older kernels get
// mprotect within a budget of mappings, then a canary that is checked when the stack is freed.
//
// Who may call: StackArena from any thread; a StackCache only by the one thread that owns it at the moment
// (its processor's worker).
//
// Layout of a slot:   [ guard | usable, grows down ...            high ] colour ]
// The colour (a few cache lines that depend on the slot's index) keeps the tops of many stacks from competing
// for one cache set.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include <tandem/detail/words.h>

#include "runtime/base/bits.h"
#include "runtime/base/cache_line.h"
#include "runtime/base/spin_lock.h"

namespace tandem::context {

inline constexpr std::size_t kStackGranuleBytes = detail::kStackGranuleBytes;  // 64 KiB: the smallest slot
inline constexpr std::uint32_t kStackClasses = 15;                             // 64 KiB, 128 KiB, ... 1 GiB
inline constexpr std::uint32_t kDefaultStackClass = 2;                         // 256 KiB
inline constexpr std::size_t kStackBytesMax = kStackGranuleBytes << (kStackClasses - 1);
inline constexpr std::size_t kStackReservationBytes = std::size_t{1} << 40;
inline constexpr std::size_t kStackReservationBytesMin = std::size_t{4} << 30;

// [low, high) may be used; high is 64-byte aligned. A null stack (low == nullptr) is a failed allocation.
struct Stack {
  std::byte* low = nullptr;
  std::byte* high = nullptr;
  std::uint32_t size_class = 0;

  explicit operator bool() const noexcept { return low != nullptr; }
  std::size_t usable_bytes() const noexcept { return static_cast<std::size_t>(high - low); }
  // What stack_size_max was rounded up to: guard and colour included.
  std::size_t slot_bytes() const noexcept { return kStackGranuleBytes << size_class; }
};

enum class GuardKind : std::uint8_t { none, marker, mapping, canary };

struct StackStatistics {
  std::uint64_t slots_carved = 0;    // ever used; each is in use, in a cache or on a free list
  std::uint64_t guard_mappings = 0;  // mprotect guards, each costs two mappings
  std::uint64_t address_space_bytes = 0;
};

class StackArena {
 public:
  struct Parameters {
    std::size_t reservation_bytes = kStackReservationBytes;  // halved until granted
    std::size_t guard_mappings_max = 8192;
    bool allow_guard_markers = true;  // false: behave as on a kernel before 6.13
  };

  // The map becomes what detail::stack_map shows to inline code. One arena at a time may own a map.
  explicit StackArena(detail::StackMap& map) noexcept : map_(map) {}
  ~StackArena() { close(); }
  StackArena(const StackArena&) = delete;
  StackArena& operator=(const StackArena&) = delete;

  // False: not even kStackReservationBytesMin (or reservation_bytes, if that is less) of address space; errno
  // says why.
  [[nodiscard]] bool open(const Parameters& parameters) noexcept;
  [[nodiscard]] bool open() noexcept { return open(Parameters{}); }
  // Unmaps everything; no stack may be in use. Idempotent.
  void close() noexcept;

  // A stack of at least max_bytes, guard included, up to kStackBytesMax. Null: address space is exhausted,
  // the kernel refused, or max_bytes is above the limit; the caller throws std::bad_alloc. Contents are
  // undefined (warm) or zero (new).
  Stack allocate(std::size_t max_bytes) noexcept;
  // Gives deep pages back and keeps the top ones for the next user. Clears the owner.
  void free(Stack stack) noexcept;

  // Same, `count` stacks of one class at once: one lock, one system call. allocate_batch returns how many it
  // got.
  std::size_t allocate_batch(std::uint32_t size_class, Stack* stacks, std::size_t count) noexcept;
  void free_batch(const Stack* stacks, std::size_t count) noexcept;

  // Lets detail::stack_map find `owner` from any address in the stack; null to clear. By the one who owns the
  // stack.
  void set_owner(const Stack& stack, detail::GoroutineWords* owner) noexcept {
    const std::uintptr_t offset = reinterpret_cast<std::uintptr_t>(stack.low) - map_.base;
    const std::size_t granules = std::size_t{1} << stack.size_class;
    auto* const owners = map_.owner_by_granule + (offset >> detail::kStackGranuleShift & ~(granules - 1));
    // Relaxed: read by code that runs on the stack, which its owner started afterwards, or as a hint by a
    // fault handler.
    for (std::size_t i = 0; i < granules; ++i) owners[i].store(owner, std::memory_order_relaxed);
  }
  detail::GoroutineWords* owner_of(const void* address) const noexcept;

  // Gives back what a deep call has left behind: the pages more than a page below sp, but not the warm ones at the top. Where
  // there are none, which is usual, it costs a system call of a tenth of a microsecond. Only while nobody runs on the stack.
  // Does nothing when sp lies elsewhere. Returns the bytes of address space that were given back.
  std::size_t release_deep(const Stack& stack, const void* sp) noexcept;

  // Does the address lie in the guard of a slot? Async-signal-safe. Then `owner_of` names whose stack
  // overflowed (or null).
  bool is_guard_hit(const void* address) const noexcept;
  // The slot that contains the address; a null stack if none does. Async-signal-safe.
  Stack stack_containing(const void* address) const noexcept;

  // Dies with a message when the stack has run over its canary. A no-op for stacks with a guard page.
  void check_canary(const Stack& stack) const noexcept;
  GuardKind guard_kind(const Stack& stack) const noexcept;

  StackStatistics statistics() const noexcept;

  // The class whose slot holds max_bytes; kStackClasses when there is none.
  static std::uint32_t class_for(std::size_t max_bytes) noexcept {
    if (max_bytes <= kStackGranuleBytes) return 0;
    if (max_bytes > kStackBytesMax) return kStackClasses;
    return base::log2_ceil(max_bytes) - detail::kStackGranuleShift;
  }

 private:
  struct alignas(base::kCacheLineBytes) FreeList {
    base::SpinLock lock;
    std::byte* head = nullptr;  // slot addresses, linked through the word below each stack's `high`
  };

  std::size_t granule_of(const void* address) const noexcept;
  std::size_t guard_bytes(std::uint32_t size_class) const noexcept;
  Stack stack_at(std::byte* slot, std::uint32_t size_class) const noexcept;
  std::byte* slot_of(const Stack& stack) const noexcept;
  std::size_t take_free(std::uint32_t size_class, Stack* stacks, std::size_t count) noexcept;
  std::size_t carve(std::uint32_t size_class, Stack* stacks, std::size_t count) noexcept;
  std::byte* claim_range(std::size_t slot_bytes, std::size_t bytes) noexcept;
  bool install_guards(std::byte* first_slot, std::uint32_t size_class, std::size_t count) noexcept;
  static std::size_t deep_bytes(const Stack& stack, const std::byte* live) noexcept;
  void trim(const Stack* stacks, std::size_t count) noexcept;
  friend class StackCache;

  detail::StackMap& map_;
  std::byte* base_ = nullptr;
  std::size_t bytes_ = 0;
  std::size_t owner_table_bytes_ = 0;
  // One byte per granule, written once when its slot is carved: size class + 1 in the low five bits,
  // GuardKind above; 0: no slot.
  std::atomic<std::uint8_t>* slot_info_ = nullptr;
  bool use_markers_ = false;

  // Guards carving: small slots from below, large ones from above, so that alignment wastes little.
  base::SpinLock carve_lock_;
  std::size_t carved_low_ = 0;     // offset of the first byte not yet claimed from below
  std::size_t committed_low_ = 0;  // readable and writable up to here
  std::size_t carved_high_ = 0;    // offset of the last claimed slot from above
  std::size_t guard_mappings_ = 0;
  std::size_t guard_mappings_max_ = 0;
  std::atomic<std::uint64_t> slots_carved_{0};

  std::array<FreeList, kStackClasses> free_lists_;
};

// A processor's magazine of warm stacks of the classes up to 256 KiB: taking one and giving it back is a few
// ns, with no lock. Larger stacks pass through to the arena.
class StackCache {
 public:
  explicit StackCache(StackArena& arena) noexcept : arena_(arena) {}
  ~StackCache() { flush(); }
  StackCache(const StackCache&) = delete;
  StackCache& operator=(const StackCache&) = delete;

  // As StackArena::allocate and free.
  Stack allocate(std::size_t max_bytes) noexcept {
    if (max_bytes > kCachedBytesMax) [[unlikely]]
      return arena_.allocate(max_bytes);
    const std::uint32_t size_class = StackArena::class_for(max_bytes);
    Magazine& magazine = magazines_[size_class];
    if (magazine.count == 0 && !refill(size_class)) [[unlikely]]
      return {};
    return magazine.stacks[--magazine.count];
  }
  void free(const Stack& stack) noexcept {
    if (stack.size_class >= kCachedClasses) [[unlikely]]
      return arena_.free(stack);
    Magazine& magazine = magazines_[stack.size_class];
    if (magazine.count == kCapacity || ++frees_since_trim_ == kFreesPerTrim) [[unlikely]]
      make_room(stack.size_class, stack);
    magazine.stacks[magazine.count++] = stack;
  }

  // Gives back the deep pages of all cached stacks, keeping the stacks. For a processor that goes idle.
  void trim() noexcept;
  // Gives every cached stack back to the arena.
  void flush() noexcept;

 private:
  static constexpr std::uint32_t kCachedClasses = kDefaultStackClass + 1;
  static constexpr std::size_t kCachedBytesMax = kStackGranuleBytes << kDefaultStackClass;
  static constexpr std::size_t kCapacity = 64;
  static constexpr std::size_t kBatch = 32;
  // A cached stack may hold deep pages; every so many frees the one at hand is trimmed (0.5 us, so about 2 ns
  // a free).
  static constexpr std::uint32_t kFreesPerTrim = 256;

  struct Magazine {
    std::size_t count = 0;
    std::array<Stack, kCapacity> stacks;
  };

  [[gnu::noinline]] bool refill(std::uint32_t size_class) noexcept;
  [[gnu::noinline]] void make_room(std::uint32_t size_class, const Stack& stack) noexcept;

  StackArena& arena_;
  std::uint32_t frees_since_trim_ = 0;
  std::array<Magazine, kCachedClasses> magazines_;
};

}  // namespace tandem::context
