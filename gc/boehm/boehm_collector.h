#pragma once
// The CollectorPort over bdwgc. A cycle is one stop: every processor is held at its safepoint, then bdwgc collects, on a thread of
// its own, then all go on.

#include <atomic>
#include <cstdint>
#include <vector>

#include "gc/boehm/collector_thread.h"
#include "gc/marker.h"
#include "runtime/seam/handshake.h"
#include "runtime/seam/ports.h"
#include "tandem/detail/layout.h"

namespace tandem {
struct Options;
}

namespace tandem::gc::boehm {

class BoehmCollector final : public seam::CollectorPort {
 public:
  /// Boot only. / Frees all objects.
  void start(const Options& options);
  void stop();

  void attach(seam::Processor& processor) override;
  void detach(seam::Processor& processor) override;
  bool has_work() const override { return wanted_.load(std::memory_order_relaxed); }
  bool work(seam::Processor& processor, std::uint64_t budget_ns, seam::WorkKind kind) override;
  void scan(seam::Goroutine&, seam::Processor&) override {}  // no stack is claimed, none is unscanned
  void finish_run() override;

  /// A collection is due: the next processor that has time, or is asked for a quantum, stops the world.
  void start_cycle();
  void collect_and_wait();

 private:
  static void stand_still(seam::Processor& processor);
  static void all_stopped(seam::Processor& here);
  static const seam::HandshakeOperation kStop;

  void collect();
  void gather_roots();
  void find_dead();
  void hand_over_condemned();
  static void push_roots();
  static void on_event(int event);
  void initialise(const Options& options);

  std::atomic<bool> wanted_{false};
  std::atomic<bool> stopping_{false};      // a stop is under way: by who swaps it to true
  std::atomic<std::uint64_t> started_{0};  // collections that found the world stopped
  std::atomic<std::uint64_t> completed_{0};
  std::vector<std::uintptr_t> roots_;  // of the collection under way
  std::vector<CellRef> dead_;          // of what has something attached, found by the collection under way
  std::uint64_t live_bytes_ = 0;
  CollectorThread thread_;
};

BoehmCollector& the_collector();

}  // namespace tandem::gc::boehm
