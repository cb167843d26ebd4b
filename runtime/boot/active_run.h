#pragma once
// What may be asked of the runtime from outside of a run, or by threads that are no workers: the lock that
// keeps the parts from being torn down meanwhile, and what the last run left.

#include <memory>
#include <mutex>

#include <tandem/runtime.h>
#include <tandem/statistics.h>

namespace tandem::seam {
class Trace;
}

namespace tandem::boot {

struct ActiveRun {
  std::mutex lock;                     // held for a few microseconds, never while anything parks
  const Options* options = nullptr;    // in force; null: nothing runs
  std::shared_ptr<seam::Trace> trace;  // what is being recorded; null: nothing
  Statistics last_statistics;          // of the last run, when nothing runs
};

extern ActiveRun active_run;

/// Of the run in progress. With active_run.lock held, or by who makes and ends runs.
Statistics gather_statistics();

}  // namespace tandem::boot
