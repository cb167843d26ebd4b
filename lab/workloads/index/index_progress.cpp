#include "lab/workloads/index/index_progress.h"

#include <fmt/format.h>

#include <chrono>
#include <mutex>
#include <utility>

namespace lab::index {
namespace {

constexpr std::chrono::milliseconds kInterval{250};

}  // namespace

IndexProgress::IndexProgress(const ParentPipe& parent, const PassCounters& counters, bool on) {
  if (on) group_.go([this, &parent, &counters] { report(parent, counters); });
}

void IndexProgress::set_phase(std::string phase) {
  const std::lock_guard guard(lock_);
  phase_ = std::move(phase);
}

void IndexProgress::report(const ParentPipe& parent, const PassCounters& counters) {
  while (true) {
    tandem::sleep_for(kInterval);  // cancelled by the group's destructor
    std::string phase;
    {
      const std::lock_guard guard(lock_);
      phase = phase_;
    }
    const auto documents = counters.documents.load(std::memory_order_relaxed);
    parent.progress(fmt::format("{}, {} documents", phase, documents));
  }
}

}  // namespace lab::index
