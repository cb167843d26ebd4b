#pragma once
// The only CollectorPort of this folder: what the scheduler may ask of the collector. The work itself is in cycle.h
// (conductor), root_walk.h, marker.h, sweeper.h and allocator.h.

#include "runtime/seam/ports.h"

namespace tandem {
struct Options;
}

namespace tandem::gc {

class Collector final : public seam::CollectorPort {
 public:
  /// Reserves the heap / gives everything back. Boot only, while nothing runs. Throws std::bad_alloc.
  void start(const Options& options);
  void stop();

  void attach(seam::Processor& processor) override;
  void detach(seam::Processor& processor) override;
  bool has_work() const override;
  bool work(seam::Processor& processor, std::uint64_t budget_ns, seam::WorkKind kind) override;
  void scan(seam::Goroutine& goroutine, seam::Processor& processor) override;
  void finish_run() override;
};

Collector& the_collector();

}  // namespace tandem::gc
