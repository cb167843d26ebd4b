#pragma once
// Allocation windows: a processor takes the free cells of one word of a block's bitmap at a time. While marking, a refill
// marks its whole word (objects are allocated black at no cost per allocation).

#include <cstdint>

#include "gc/processor_state.h"
#include "gc/space.h"
#include "runtime/seam/processor.h"

namespace tandem::gc {

class Allocator {
 public:
  void attach(seam::Processor& processor);
  void detach(seam::Processor& processor);

  /// Gives the processor a window with at least one free cell for the layout. False: memory_limit or the address space
  /// does not allow another block.
  bool refill(seam::Processor& processor, detail::LayoutNumber layout);
  /// Blocks for a large object, which lay_out_large() is to make of them; their memory is zeroed. Polls meanwhile: the running
  /// goroutine may be on another processor afterwards. Region::kNoBlock as refill's false.
  BlockIndex take_cleared(std::size_t bytes);
  /// The object, marked if the processor allocates black. Without a poll; the caller roots it before the next one.
  void* lay_out_large(seam::Processor& processor, const Pattern& pattern, BlockIndex head, std::size_t bytes);

  /// Handshake 2: the cells that are left in the windows become black.
  void blacken_windows(seam::Processor& processor);
  /// Handshake 4: takes the marks of the current blocks over; allocation goes on in them.
  void sweep_current_blocks(seam::Processor& processor);

 private:
  bool next_window(seam::Processor& processor, detail::LayoutNumber layout);
  BlockIndex acquire_block(seam::Processor& processor, detail::LayoutNumber layout);
  BlockIndex acquire_unswept(Space& space);
  BlockIndex lay_out_new(detail::LayoutNumber layout);
  bool room_for(std::uint64_t blocks) const;
};

extern Allocator allocator;

}  // namespace tandem::gc
