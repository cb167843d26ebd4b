#pragma once
// Where a running worker is: it is sent a signal (SIGURG, which is ignored by default), and its handler writes down the frames.

#include <cstddef>

#include "runtime/base/backtrace.h"
#include "sched/worker.h"

namespace tandem::sched {

struct RunningBacktrace {
  const Goroutine* goroutine = nullptr;  // null: the scheduler's own code
  void* pcs[base::kBacktraceFramesMax];
  std::size_t count = 0;
};

/// False: the worker has ended, or did not answer within a tenth of a second. Not from a signal handler.
bool backtrace_of(const Worker& worker, RunningBacktrace& result);

/// Handlers of SIGURG (backtraces) and SIGQUIT (goroutine dump); the previous ones are put back by the second.
void install_signal_handlers();
void remove_signal_handlers();

}  // namespace tandem::sched
