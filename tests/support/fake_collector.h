#pragma once
// A CollectorPort that collects nothing: it counts what the scheduler asks of it, and can be told to have work.

#include <atomic>
#include <cstdint>

#include "runtime/base/clock.h"
#include "runtime/base/spin_lock.h"
#include "runtime/seam/goroutine.h"
#include "runtime/seam/phase.h"
#include "runtime/seam/ports.h"
#include "runtime/seam/processor.h"

namespace tandem::test {

class FakeCollector final : public seam::CollectorPort {
 public:
  void attach(seam::Processor&) override { attached.fetch_add(1); }
  void detach(seam::Processor&) override { detached.fetch_add(1); }
  bool has_work() const override { return work_units.load(std::memory_order_relaxed) > 0; }
  /// A unit of work is as long as the budget.
  bool work(seam::Processor&, std::uint64_t budget_ns, seam::WorkKind kind) override {
    std::int64_t units = work_units.load();
    do {
      if (units <= 0) return false;
    } while (!work_units.compare_exchange_weak(units, units - 1));
    const std::uint64_t end = base::now_ns() + budget_ns;
    while (base::now_ns() < end) base::cpu_relax();
    calls[static_cast<int>(kind)].fetch_add(1);
    return true;
  }
  void scan(seam::Goroutine& goroutine, seam::Processor&) override {
    scans.fetch_add(1);
    goroutine.scanned_round.store(seam::collector_clock.root_round.load());
  }
  void finish_run() override {
    finished_runs.fetch_add(1);
    if (on_finish_run != nullptr) on_finish_run();
  }

  std::atomic<std::uint32_t> attached{0}, detached{0}, finished_runs{0};
  std::atomic<std::uint64_t> scans{0};
  std::atomic<std::int64_t> work_units{0};
  std::atomic<std::uint64_t> calls[4]{};  // by WorkKind
  void (*on_finish_run)() = nullptr;
};

}  // namespace tandem::test
