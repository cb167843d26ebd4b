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
  /// A large object, zeroed, marked if the processor allocates black; null as refill's false.
  void* allocate_large(seam::Processor& processor, const Pattern& pattern, std::size_t bytes);

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
