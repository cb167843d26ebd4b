#pragma once
// collector = boehm: bdwgc 8.2 (Debian's libgc) as a second collector behind the same port. Objects are allocated in its heap, by
// kinds that tell where their references lie; its only roots are ours: the Locals of all goroutines, Persistents, what the
// finaliser has still to see to. It marks while our scheduler holds every processor at a safepoint.
//
// Here: the parts of the heap's interface (heap_api.cpp, weak.cpp, ephemeron.cpp) that differ. They are only called while
// in_use; the library may have been built without bdwgc, then it never is.

#include <cstddef>
#include <cstdint>

#include "gc/marker.h"
#include "runtime/seam/processor.h"
#include "tandem/detail/layout.h"

namespace tandem {
struct Options;
}

namespace tandem::gc::boehm {

/// Fixed while the runtime runs.
inline bool in_use = false;

/// What allocate_slow and allocate_large do after their safepoint. Null: no memory, or the limit. Goroutines only.
void* allocate(seam::Processor& processor, detail::LayoutNumber layout);
void* allocate_large(detail::PatternNumber pattern, std::size_t bytes);

/// The object's destructor is to be run when it has become unreachable.
void register_destructor(void* object, detail::DestroyFunction destroy);

bool contains(const void* address);
/// Stands for the object that contains `address` in the tables of attachments.h; no cell of our own heap.
CellRef key_of(const void* address);
std::uintptr_t address_of_key(CellRef key);

/// Parks until a collection that began after the call has ended.
void collect_and_wait();

}  // namespace tandem::gc::boehm
