#pragma once
#include <tandem/tandem.h>

#include <string>

#include "lab/child_process.h"
#include "lab/workloads/index/pipeline.h"

namespace lab::index {

// A goroutine that tells the parent four times a second how far the run is. Lives on a goroutine's stack.
class IndexProgress {
 public:
  // Does nothing unless `on`. Both references must outlive this.
  IndexProgress(const ParentPipe& parent, const PassCounters& counters, bool on);

  // What the run is doing from now on, e.g. "pass 2".
  void set_phase(std::string phase);

 private:
  void report(const ParentPipe& parent, const PassCounters& counters);

  tandem::Mutex lock_;  // of phase_
  std::string phase_ = "first pass, not measured";
  tandem::TaskGroup group_;  // last: its destructor cancels the goroutine before what it uses is gone
};

}  // namespace lab::index
