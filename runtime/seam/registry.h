#pragma once
// What boot plugged: the ports, the processors, the goroutines. Fixed while the runtime runs.

#include <cstdint>
#include <span>

#include "runtime/seam/debugger_layout.h"
#include "runtime/seam/goroutine_table.h"
#include "runtime/seam/handshake.h"
#include "runtime/seam/ports.h"
#include "runtime/seam/processor.h"
#include "runtime/seam/world_stop.h"

namespace tandem {
struct Options;
}

namespace tandem::context {
class StackArena;
}

namespace tandem::seam {

class Trace;

struct Registry {
  const Options* options = nullptr;
  SchedulerPort* scheduler = nullptr;
  CollectorPort* collector = nullptr;
  PollerPort* poller = nullptr;
  context::StackArena* stacks = nullptr;  // set by the scheduler when it starts
  Processor* processors = nullptr;
  std::uint32_t processor_count = 0;
  Trace* trace = nullptr;  // null: nothing is recorded
  GoroutineTable goroutines;
  const DebuggerLayout* debugger_layout = &tandem_debugger_layout;
  Handshake handshake;
  WorldStop world_stop;

  std::span<Processor> all_processors() { return {processors, processor_count}; }
};

/// The one registry. Its pointers are null while nothing runs.
extern Registry registry;

}  // namespace tandem::seam
