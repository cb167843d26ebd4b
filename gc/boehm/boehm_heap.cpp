#include "gc/boehm/boehm_heap.h"

#include <array>
#include <atomic>
#include <cstring>
#include <mutex>

#include "gc/boehm/bdwgc.h"
#include "gc/boehm/boehm_collector.h"
#include "gc/counters.h"
#include "gc/finalizer.h"
#include "gc/pacer.h"
#include "gc/pattern.h"
#include "gc/processor_state.h"
#include "runtime/seam/registry.h"
#include "tandem/runtime.h"

namespace tandem::gc::boehm {

namespace {

constexpr int kLeafKind = 0;          // bdwgc's own: nothing in it is scanned
constexpr int kConservativeKind = 1;  // bdwgc's own: every word may be a reference
/// bdwgc has room for 24 kinds, of which it uses up to 7 itself. The patterns that come later are marked conservatively.
constexpr int kKindsMax = 16;

GC_ms_entry* push_element(std::uintptr_t element, const Pattern& pattern, GC_ms_entry* top, GC_ms_entry* limit) {
  for (const std::uint32_t offset : pattern.offsets) {
    void** const slot = reinterpret_cast<void**>(element + offset);
    void* const reference = __atomic_load_n(slot, __ATOMIC_ACQUIRE);
    if (reference != nullptr) top = GC_MARK_AND_PUSH(reference, top, limit, slot);
  }
  return top;
}

/// bdwgc's mark procedure for all kinds of ours: `number` is the pattern's.
GC_ms_entry* mark_object(GC_word* object, GC_ms_entry* top, GC_ms_entry* limit, GC_word number) {
  const Pattern& pattern = pattern_at(static_cast<detail::PatternNumber>(number));
  const auto begin = reinterpret_cast<std::uintptr_t>(object);
  if (pattern.stride == 0) return push_element(begin, pattern, top, limit);
  const std::uintptr_t end = begin + GC_size(object);
  for (std::uintptr_t element = begin + pattern.first; element + pattern.stride <= end; element += pattern.stride)
    top = push_element(element, pattern, top, limit);
  return top;
}

/// From patterns to kinds; for the whole process, as bdwgc's kinds are.
class Kinds {
 public:
  int of(detail::PatternNumber number) {
    const int known = kinds_[number].load(std::memory_order_acquire);
    return known != 0 ? known - 1 : create(number);
  }

 private:
  int create(detail::PatternNumber number) {
    const std::lock_guard guard(lock_);
    int kind = kinds_[number].load(std::memory_order_relaxed) - 1;
    if (kind >= 0) return kind;
    if (pattern_at(number).leaf()) {
      kind = kLeafKind;
    } else if (created_ == kKindsMax) {
      kind = kConservativeKind;
    } else {
      static const unsigned procedure = GC_new_proc(&mark_object);
      kind = static_cast<int>(GC_new_kind(GC_new_free_list(), GC_MAKE_PROC(procedure, GC_word{number}), 0, 1));
      ++created_;
    }
    kinds_[number].store(kind + 1, std::memory_order_release);
    return kind;
  }

  std::mutex lock_;
  int created_ = 0;                                             // guarded by lock_
  std::array<std::atomic<int>, detail::kMaxPatterns> kinds_{};  // plus one; 0: not known yet
};
Kinds kinds;

bool room_for(std::size_t bytes) {
  const std::uint64_t limit = seam::registry.options->memory_limit;
  return limit == 0 || GC_get_heap_size() - GC_get_free_bytes() + bytes <= limit;
}

void count(std::uint64_t objects, std::uint64_t bytes) {
  counters.allocated_objects.add(objects);
  counters.allocated_bytes.add(bytes);
  counters.heap_bytes.set(GC_get_heap_size());
  if (pacer.count_allocation(bytes)) the_collector().start_cycle();
}

/// Objects of bdwgc's free lists are linked by their first words.
std::byte* next_of(const std::byte* object) { return *reinterpret_cast<std::byte* const*>(object); }

}  // namespace

// The window's first_cell is the head of a list of free objects, and free_cells stays 0, so that every allocation comes here.
// What is left of the list is dropped when the world is stopped (BoehmCollector): bdwgc finds it unreachable.
void* allocate(seam::Processor& processor, detail::LayoutNumber layout) {
  detail::AllocationWindow& window = processor.windows[layout];
  if (window.first_cell == nullptr) {
    const std::size_t bytes = detail::kCellBytes[layout % detail::kSizeClasses];
    if (!room_for(detail::kBlockBytes)) return nullptr;
    void* list = nullptr;
    GC_generic_malloc_many(bytes, kinds.of(layout / detail::kSizeClasses), &list);
    if (list == nullptr) return nullptr;
    window.first_cell = static_cast<std::byte*>(list);
    ProcessorState& state = state_of(processor);
    if (!state.current[layout].held()) {  // remembered once
      state.current[layout].block_plus_one = 1;
      state.active_layouts.push_back(layout);
    }
    std::uint64_t objects = 0;
    for (const std::byte* object = window.first_cell; object != nullptr; object = next_of(object)) ++objects;
    count(objects, objects * bytes);
  }
  std::byte* const object = window.first_cell;
  window.first_cell = next_of(object);
  return object;
}

void* allocate_large(detail::PatternNumber pattern, std::size_t bytes) {
  if (!room_for(bytes)) return nullptr;
  void* const object = GC_generic_malloc(bytes, kinds.of(pattern));
  if (object == nullptr) return nullptr;
  std::memset(object, 0, bytes);
  count(1, bytes);
  return object;
}

// bdwgc keeps the object until the function has been called (BoehmCollector::hand_over_condemned); then the finaliser has it.
void register_destructor(void* object, detail::DestroyFunction destroy) {
  const auto condemn = [](void* condemned, void* its_destructor) {
    finalizer.add(CondemnedObject{condemned, reinterpret_cast<detail::DestroyFunction>(its_destructor)});
  };
  GC_register_finalizer_no_order(object, condemn, reinterpret_cast<void*>(destroy), nullptr, nullptr);
}

bool contains(const void* address) { return GC_base(const_cast<void*>(address)) != nullptr; }

CellRef key_of(const void* address) {
  const auto base = reinterpret_cast<std::uintptr_t>(GC_base(const_cast<void*>(address)));
  return {static_cast<BlockIndex>(base >> kBlockShift), static_cast<std::uint32_t>(base & (kBlockBytes - 1))};
}

std::uintptr_t address_of_key(CellRef key) { return (std::uintptr_t{key.block} << kBlockShift) | key.index; }

void collect_and_wait() { the_collector().collect_and_wait(); }

}  // namespace tandem::gc::boehm
