// A build without bdwgc: nothing of this is ever called (Options::collector = boehm is refused).
#include "gc/boehm/boehm_heap.h"
#include "runtime/base/assert.h"

namespace tandem::gc::boehm {

namespace {
[[noreturn]] void absent() { base::fatal("this build has no bdwgc"); }
}  // namespace

void* allocate(seam::Processor&, detail::LayoutNumber) { absent(); }
void* allocate_large(detail::PatternNumber, std::size_t) { absent(); }
void register_destructor(void*, detail::DestroyFunction) { absent(); }
bool contains(const void*) { absent(); }
CellRef key_of(const void*) { absent(); }
std::uintptr_t address_of_key(CellRef) { absent(); }
void collect_and_wait() { absent(); }

}  // namespace tandem::gc::boehm
