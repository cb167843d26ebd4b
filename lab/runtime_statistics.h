#pragma once
// The only file that knows the names of the runtime's own statistics (<tandem/statistics.h>).
#include <tandem/tandem.h>
#include <cstdint>
#include <nlohmann/json.hpp>

namespace lab {

// Bytes that are live after a full collection, which this asks for. Call from a goroutine.
std::uint64_t live_bytes_now();

// What the runtime did between construction and finish(): differences of its counters and histograms. The
// longest stop is the whole run's, because a maximum cannot be subtracted. Call both from a goroutine.
class RuntimeInterval {
 public:
  RuntimeInterval();

  // Adds the figures to `metrics`.
  void finish(nlohmann::json& metrics) const;

 private:
  tandem::Statistics before_;
};

}  // namespace lab
