#include "runtime/context/stack.h"

#include <cerrno>
#include <cstring>
#include <mutex>

#include "runtime/base/assert.h"
#include "runtime/base/bits.h"
#include "runtime/base/os_memory.h"
#include "runtime/context/sanitizers.h"
#include "runtime/context/stack_pages.h"

namespace tandem::context {
namespace {

constexpr std::size_t kCommitStepBytes = std::size_t{64} << 20;   // one mprotect for 256 default stacks
constexpr std::size_t kWarmBytes = std::size_t{16} << 10;         // a freed stack keeps its top
constexpr std::size_t kSmallSlotBytesMax = std::size_t{2} << 20;  // larger ones are carved from above
constexpr std::uint64_t kCanary = 0x5AFE57ACC0FFEE11;
constexpr std::size_t kCanaryWords = 8;  // a cache line, just below `low`

constexpr std::size_t kSlotBatchMax = 32;

// 8 colours of 128 bytes: the last begins 896 bytes below the top of its page, which leaves 3,200 for the frames of a goroutine that
// waits before it takes a second page. (With 16 colours of 192 bytes a third of the echo server's connections, which go 2,064
// bytes deep, took one, and no benchmark of switches told the two apart.)
constexpr std::size_t kColours = 8;
constexpr std::size_t kColourBytes = 2 * base::kCacheLineBytes;

constexpr unsigned kGuardKindShift = 5;
constexpr std::uint8_t kClassMask = (1u << kGuardKindShift) - 1;
constexpr std::uint8_t encode(std::uint32_t size_class, GuardKind guard) {
  return static_cast<std::uint8_t>((size_class + 1) | static_cast<unsigned>(guard) << kGuardKindShift);
}

std::byte** link_of(const Stack& stack) noexcept { return reinterpret_cast<std::byte**>(stack.high) - 1; }

}  // namespace

bool StackArena::open(const Parameters& parameters) noexcept {
  TANDEM_CHECK(base_ == nullptr, "the stack arena is already open");
  TANDEM_CHECK(base::page_bytes() <= kStackGranuleBytes / 4, "pages of more than 16 KiB are not supported");
  std::size_t bytes = base::round_up(parameters.reservation_bytes, kStackGranuleBytes);
  const std::size_t bytes_min = bytes < kStackReservationBytesMin ? bytes : kStackReservationBytesMin;
  for (;; bytes = base::round_down(bytes / 2, kStackGranuleBytes)) {
    if (bytes < bytes_min || bytes == 0) return false;
    // Self-aligned slots need a base aligned to the largest one that fits.
    const std::size_t alignment =
        bytes < kStackBytesMax ? kStackGranuleBytes << base::log2_floor(bytes / kStackGranuleBytes) : kStackBytesMax;
    base_ = base::reserve(bytes, alignment, base::Access::none);
    if (base_ != nullptr) break;
  }
  const std::size_t granules = bytes / kStackGranuleBytes;
  owner_table_bytes_ = granules * sizeof(std::atomic<detail::GoroutineWords*>);
  std::byte* owners = base::reserve(owner_table_bytes_, base::page_bytes(), base::Access::read_write);
  std::byte* info = base::reserve(granules, base::page_bytes(), base::Access::read_write);
  bytes_ = bytes;
  map_.owner_by_granule = reinterpret_cast<std::atomic<detail::GoroutineWords*>*>(owners);
  slot_info_ = reinterpret_cast<std::atomic<std::uint8_t>*>(info);
  if (owners == nullptr || info == nullptr) {
    close();
    errno = ENOMEM;
    return false;
  }
  base::no_huge_pages(base_, bytes_);
  use_markers_ = parameters.allow_guard_markers && guard_markers_work();
  carved_low_ = committed_low_ = 0;
  carved_high_ = bytes_;
  guard_mappings_ = 0;
  guard_mappings_max_ = parameters.guard_mappings_max;
  slots_carved_.store(0, std::memory_order_relaxed);
  map_.base = reinterpret_cast<std::uintptr_t>(base_);
  map_.bytes = bytes_;
  return true;
}

void StackArena::close() noexcept {
  if (base_ == nullptr) return;
  unpoison_stack(base_, base_ + carved_low_);
  unpoison_stack(base_ + carved_high_, base_ + bytes_);
  map_.base = map_.bytes = 0;
  base::release(base_, bytes_);
  if (map_.owner_by_granule != nullptr) {
    base::release(reinterpret_cast<std::byte*>(map_.owner_by_granule), owner_table_bytes_);
  }
  if (slot_info_ != nullptr) base::release(reinterpret_cast<std::byte*>(slot_info_), bytes_ / kStackGranuleBytes);
  map_.owner_by_granule = nullptr;
  slot_info_ = nullptr;
  base_ = nullptr;
  bytes_ = 0;
  for (FreeList& list : free_lists_) list.head = nullptr;
}

std::size_t StackArena::granule_of(const void* address) const noexcept {
  return (reinterpret_cast<std::uintptr_t>(address) - map_.base) / kStackGranuleBytes;
}

// A sixteenth of the slot, at most 64 KiB: code compiled without stack probes may step over a single page in
// one frame.
std::size_t StackArena::guard_bytes(std::uint32_t size_class) const noexcept {
  const std::size_t wanted = kStackGranuleBytes << size_class >> 4;
  const std::size_t page = base::page_bytes();
  return wanted < page ? page : wanted < kStackGranuleBytes ? wanted : kStackGranuleBytes;
}

std::byte* StackArena::slot_of(const Stack& stack) const noexcept {
  return base_ + base::round_down(static_cast<std::size_t>(stack.low - base_), stack.slot_bytes());
}

Stack StackArena::stack_at(std::byte* slot, std::uint32_t size_class) const noexcept {
  const std::size_t slot_bytes = kStackGranuleBytes << size_class;
  const std::size_t index = static_cast<std::size_t>(slot - base_) / slot_bytes;
  return {slot + guard_bytes(size_class), slot + slot_bytes - index % kColours * kColourBytes, size_class};
}

Stack StackArena::allocate(std::size_t max_bytes) noexcept {
  const std::uint32_t size_class = class_for(max_bytes);
  Stack stack;
  if (size_class < kStackClasses) allocate_batch(size_class, &stack, 1);
  return stack;
}

void StackArena::free(Stack stack) noexcept { free_batch(&stack, 1); }

std::size_t StackArena::allocate_batch(std::uint32_t size_class, Stack* stacks, std::size_t count) noexcept {
  TANDEM_ASSERT(size_class < kStackClasses);
  std::size_t taken = take_free(size_class, stacks, count);
  while (taken < count) {
    const std::size_t carved = carve(size_class, stacks + taken, count - taken);
    if (carved == 0) break;
    taken += carved;
  }
  return taken;
}

std::size_t StackArena::take_free(std::uint32_t size_class, Stack* stacks, std::size_t count) noexcept {
  FreeList& list = free_lists_[size_class];
  std::lock_guard guard(list.lock);
  std::size_t taken = 0;
  while (taken < count && list.head != nullptr) {
    stacks[taken] = stack_at(list.head, size_class);
    list.head = *link_of(stacks[taken]);
    ++taken;
  }
  return taken;
}

void StackArena::free_batch(const Stack* stacks, std::size_t count) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    TANDEM_ASSERT(stacks[i] && stacks[i].size_class < kStackClasses);
    check_canary(stacks[i]);
    unpoison_stack(stacks[i].low, stacks[i].high);
    set_owner(stacks[i], nullptr);
  }
  trim(stacks, count);
  for (std::size_t i = 0; i < count; ++i) {
    FreeList& list = free_lists_[stacks[i].size_class];
    std::lock_guard guard(list.lock);
    *link_of(stacks[i]) = list.head;
    list.head = slot_of(stacks[i]);
  }
}

// Takes up to `count` slots that were never used. One system call per batch for their guards.
std::size_t StackArena::carve(std::uint32_t size_class, Stack* stacks, std::size_t count) noexcept {
  const std::size_t slot_bytes = kStackGranuleBytes << size_class;
  if (slot_bytes > kSmallSlotBytesMax) count = 1;
  if (count > kSlotBatchMax) count = kSlotBatchMax;
  std::lock_guard guard(carve_lock_);
  std::byte* first = claim_range(slot_bytes, slot_bytes * count);
  if (first == nullptr && count > 1) first = claim_range(slot_bytes, slot_bytes * (count = 1));
  if (first == nullptr) return 0;
  if (!install_guards(first, size_class, count)) return 0;
  for (std::size_t i = 0; i < count; ++i) stacks[i] = stack_at(first + i * slot_bytes, size_class);
  slots_carved_.fetch_add(count, std::memory_order_relaxed);  // a statistic
  return count;
}

// Under carve_lock_. `bytes` of readable and writable address space, aligned to slot_bytes; null when there
// is none.
std::byte* StackArena::claim_range(std::size_t slot_bytes, std::size_t bytes) noexcept {
  if (slot_bytes > kSmallSlotBytesMax) {
    if (carved_high_ < bytes) return nullptr;
    const std::size_t first = base::round_down(carved_high_ - bytes, slot_bytes);
    if (first < committed_low_ || !base::commit(base_ + first, bytes)) return nullptr;
    carved_high_ = first;
    return base_ + first;
  }
  const std::size_t first = base::round_up(carved_low_, slot_bytes);
  const std::size_t end = first + bytes;
  if (end > carved_high_) return nullptr;
  if (end > committed_low_) {
    std::size_t target = base::round_up(end, kCommitStepBytes);
    if (target > carved_high_) target = carved_high_;
    if (!base::commit(base_ + committed_low_, target - committed_low_)) return nullptr;
    committed_low_ = target;
  }
  carved_low_ = end;
  return base_ + first;
}

// Under carve_lock_. False: the kernel is out of memory for page tables; the range is lost, which costs
// address space only.
bool StackArena::install_guards(std::byte* first_slot, std::uint32_t size_class, std::size_t count) noexcept {
  const std::size_t slot_bytes = kStackGranuleBytes << size_class;
  const std::size_t guard = guard_bytes(size_class);
  PageRange ranges[kSlotBatchMax];
  for (std::size_t i = 0; i < count; ++i) ranges[i] = {first_slot + i * slot_bytes, guard};
  if (use_markers_ && !install_guard_markers(ranges, count)) return false;
  for (std::size_t i = 0; i < count; ++i) {
    GuardKind kind = GuardKind::marker;
    if (!use_markers_) {
      kind = guard_mappings_ < guard_mappings_max_ && protect_guard(ranges[i]) ? GuardKind::mapping : GuardKind::canary;
      if (kind == GuardKind::mapping) ++guard_mappings_;
    }
    if (kind == GuardKind::canary) {
      auto* words = reinterpret_cast<std::uint64_t*>(ranges[i].address + guard) - kCanaryWords;
      for (std::size_t word = 0; word < kCanaryWords; ++word) words[word] = kCanary;
    }
    const std::size_t granule = granule_of(ranges[i].address);
    for (std::size_t j = 0; j < slot_bytes / kStackGranuleBytes; ++j) {
      // Relaxed: whoever looks a slot up got one of its addresses through something that orders the two.
      slot_info_[granule + j].store(encode(size_class, kind), std::memory_order_relaxed);
    }
  }
  return true;
}

// Bytes from `low` on that lie a page or more below `live`, below the warm top, and of which some take memory, else 0.
std::size_t StackArena::deep_bytes(const Stack& stack, const std::byte* live) noexcept {
  const std::size_t page = base::page_bytes();
  const auto used = static_cast<std::size_t>(stack.high - live) + page;
  const std::size_t kept = used > kWarmBytes ? used : kWarmBytes;
  if (stack.usable_bytes() <= kept) return 0;
  const std::size_t deep = base::round_down(stack.usable_bytes() - kept, page);
  // On the way down a stack is touched page after page, but for large frames: if none of the first deep ones is there, none is.
  const std::size_t looked_at = deep < kWarmBytes ? deep : kWarmBytes;
  return deep != 0 && base::any_resident(stack.low + deep - looked_at, looked_at) ? deep : 0;
}

void StackArena::trim(const Stack* stacks, std::size_t count) noexcept {
  while (count > 0) {
    PageRange ranges[kSlotBatchMax];
    const std::size_t batch = count < kSlotBatchMax ? count : kSlotBatchMax;
    std::size_t used = 0;
    for (std::size_t i = 0; i < batch; ++i) {
      const std::size_t deep = deep_bytes(stacks[i], stacks[i].high);
      if (deep != 0) ranges[used++] = {stacks[i].low, deep};
    }
    drop_pages(ranges, used);
    stacks += batch;
    count -= batch;
  }
}

std::size_t StackArena::release_deep(const Stack& stack, const void* sp) noexcept {
  const auto* live = static_cast<const std::byte*>(sp);
  if (live < stack.low || live > stack.high) return 0;
  const std::size_t deep = deep_bytes(stack, live);
  if (deep != 0) base::decommit(stack.low, deep);
  return deep;
}

detail::GoroutineWords* StackArena::owner_of(const void* address) const noexcept {
  if (reinterpret_cast<std::uintptr_t>(address) - map_.base >= map_.bytes) return nullptr;
  return map_.owner_by_granule[granule_of(address)].load(std::memory_order_relaxed);
}

Stack StackArena::stack_containing(const void* address) const noexcept {
  if (reinterpret_cast<std::uintptr_t>(address) - map_.base >= map_.bytes) return {};
  const std::uint8_t info = slot_info_[granule_of(address)].load(std::memory_order_relaxed);
  if (info == 0) return {};
  const std::uint32_t size_class = (info & kClassMask) - 1u;
  const auto offset = static_cast<std::size_t>(static_cast<const std::byte*>(address) - base_);
  return stack_at(base_ + base::round_down(offset, kStackGranuleBytes << size_class), size_class);
}

bool StackArena::is_guard_hit(const void* address) const noexcept {
  const Stack stack = stack_containing(address);
  return stack && address < stack.low;
}

GuardKind StackArena::guard_kind(const Stack& stack) const noexcept {
  return static_cast<GuardKind>(slot_info_[granule_of(stack.low)].load(std::memory_order_relaxed) >> kGuardKindShift);
}

void StackArena::check_canary(const Stack& stack) const noexcept {
  if (use_markers_ || guard_kind(stack) != GuardKind::canary) return;
  const auto* words = reinterpret_cast<const std::uint64_t*>(stack.low) - kCanaryWords;
  for (std::size_t word = 0; word < kCanaryWords; ++word) {
    if (words[word] == kCanary) continue;
    base::fatal(
        "a goroutine overflowed its stack of %zu KiB (stack_size_max) and wrote beyond it; memory is "
        "corrupt. Use "
        "GoOptions::stack_size_max or ensure_stack. (Found late: this kernel has no guard markers, 6.13 has, "
        "and the "
        "budget of guard mappings is used up.)",
        stack.slot_bytes() >> 10);
  }
}

StackStatistics StackArena::statistics() const noexcept {
  return {slots_carved_.load(std::memory_order_relaxed), guard_mappings_, bytes_};
}

}  // namespace tandem::context
