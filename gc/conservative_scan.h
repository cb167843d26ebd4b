#pragma once
// Options::roots = conservative: every word of a stack that leads into an object of the heap counts as a reference (Boehm and
// Weiser 1988). Objects do not move, and interior pointers are told by their cell, so nothing else of the collector changes.
//
// What a word leads to may be anything: a free block, one that is being laid out, a cell of a window that nobody has taken yet.
// A block's kind is published last, and its free cells are marked before they are taken (black allocation: every
// processor has passed handshake 2), so a cell that is allocated and not marked holds an object.

#include <cstdint>

#include "gc/tag_scan.h"

namespace tandem::gc {

bool leads_to_object(std::uintptr_t word);

/// Calls found(context, word) for each such word in [from, to). Both ends are multiples of 8. While marking only.
void scan_words_for_references(std::uintptr_t from, std::uintptr_t to, FoundRoot found, void* context);

}  // namespace tandem::gc
