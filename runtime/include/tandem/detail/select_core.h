#pragma once
// The untyped part of select: a table of cases on the stack of the goroutine that selects; see
// sched/select.cpp.

#include <cstdint>

#include "tandem/detail/channel_core.h"
#include "tandem/detail/wait_queue.h"

namespace tandem::detail {

enum class CaseKind : std::uint8_t { kReceive, kSend, kTimeout, kOtherwise };

struct SelectCase {
  ChannelCore* channel;  // null: never ready
  const ElementOperations* operations;
  void* slot;                // send: the value; receive: room for it
  std::uint64_t timeout_ns;  // kTimeout only
  CaseKind kind;
  Waiter waiter;  // while the goroutine is parked
};

/// Scratch memory of one select: as many entries as there are cases. Kept apart from the cases to be sorted.
struct SelectScratch {
  ChannelCore** channels;  // the channels of the cases, by address, each once
  std::uint32_t* ready;    // indices of cases that are ready
};

struct SelectResult {
  std::uint32_t index;   // of the case taken
  ChannelResult result;  // kDone: a value was transferred; kClosed: the channel is closed
};

/// Takes one case: a ready one by uniform choice; else `otherwise`; else waits. Throws Cancelled when it
/// would wait.
SelectResult select_core(SelectCase* cases, std::uint32_t count, SelectScratch scratch);

}  // namespace tandem::detail
