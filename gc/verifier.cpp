#include "gc/verifier.h"

#include <cstdio>
#include <cstdlib>
#include <vector>

#include "gc/marker.h"
#include "gc/persistent_roots.h"
#include "gc/roots.h"
#include "runtime/seam/phase.h"
#include "runtime/seam/registry.h"

namespace tandem::gc {

namespace {

class Trace {
 public:
  void reach(std::uintptr_t object, const char* from_what, std::uintptr_t from) {
    if (object == 0) return;
    if (!region.contains(reinterpret_cast<const void*>(object)))
      fail("a reference leads out of the heap", object, from_what, from);
    const CellRef cell = cell_of(object);
    const Block& block = region.block(cell.block);
    if (block.kind == BlockKind::kFree) fail("a reference leads to a freed block", object, from_what, from);
    if (!(region.allocated(cell.block)[cell.index / 64] >> (cell.index % 64) & 1))
      fail("a reference leads to a freed cell", object, from_what, from);
    if (!is_marked(cell)) fail("a reachable object is not marked", object, from_what, from);
    if (see(cell) && !block.leaf) pending_.push_back(cell);
  }

  void run() {
    while (!pending_.empty()) {
      const CellRef cell = pending_.back();
      pending_.pop_back();
      scan(cell);
    }
  }

 private:
  void scan(CellRef cell) {
    const Block& block = region.block(cell.block);
    const Pattern& pattern = *block.pattern;
    const std::uintptr_t object = address_of(cell);
    const std::uintptr_t end = object + block.object_bytes;
    const std::uintptr_t stride = pattern.stride != 0 ? pattern.stride : end - object;
    for (std::uintptr_t element = object + pattern.first; element + stride <= end; element += stride)
      for (const std::uint32_t offset : pattern.offsets)
        reach(__atomic_load_n(reinterpret_cast<const std::uintptr_t*>(element + offset), __ATOMIC_ACQUIRE),
              "the object", object);
  }

  /// True for the first time.
  bool see(CellRef cell) {
    std::uint64_t& word = seen_[std::size_t{cell.block} * kBitmapWords + cell.index / 64];
    const std::uint64_t before = word;
    word |= std::uint64_t{1} << (cell.index % 64);
    return word != before;
  }

  [[noreturn]] void fail(const char* what, std::uintptr_t object, const char* from_what, std::uintptr_t from) {
    std::fprintf(stderr, "tandem: verify_after_mark, cycle %llu: %s\n  reference %#llx, reached from %s %#llx\n",
                 static_cast<unsigned long long>(seam::collector_clock.cycle.load()), what,
                 static_cast<unsigned long long>(object), from_what, static_cast<unsigned long long>(from));
    std::abort();
  }

  // The world is held: no block is taken meanwhile.
  std::vector<std::uint64_t> seen_ = std::vector<std::uint64_t>(std::size_t{region.used()} * kBitmapWords);
  std::vector<CellRef> pending_;
};

struct RootContext {
  Trace* trace;
  seam::Goroutine* goroutine;
};

void reach_root(void* context, std::uintptr_t reference) {
  auto& root = *static_cast<RootContext*>(context);
  root.trace->reach(reference, "a Local of goroutine", root.goroutine->id);
}

}  // namespace

void verify_marks(seam::Processor&) {
  Trace trace;
  for (std::size_t i = 0; i < seam::registry.goroutines.used(); ++i) {
    seam::Goroutine& goroutine = seam::registry.goroutines.at(i);
    if ((goroutine.state.load(std::memory_order_acquire) & seam::kStateMask) == seam::kDead) continue;
    RootContext context{&trace, &goroutine};
    for_each_root(goroutine, &reach_root, &context);
  }
  persistent_roots.for_each(
      [&](void* object) { trace.reach(reinterpret_cast<std::uintptr_t>(object), "a Persistent", 0); });
  trace.run();
}

}  // namespace tandem::gc
