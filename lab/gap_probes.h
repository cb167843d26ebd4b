#pragma once
// Stops, seen from outside the runtime: goroutines that do nothing but read the clock and poll, and note how
// long they were kept from it. Two figures:
//   own  the longest interval between two polls of one probe. It contains whatever kept that goroutine from
//        running: the collector, another goroutine that got the processor, the operating system. A probe
//        gives its processor away of its own accord once a millisecond; those intervals are not counted.
//   all  the longest interval in which no probe at all got on. With at least as many probes as processors it
//        bounds from above the longest moment at which every processor was stopped.
// A probe uses up whatever processor time it is given: the throughput of a run with probes is not comparable.
#include <tandem/tandem.h>
#include <atomic>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

namespace lab {

class GapProbes {
 public:
  // Starts `count` probes (none for 0). The destructor ends them.
  explicit GapProbes(int count);

  // Ends the probes, blocks until they have ended, and adds both figures to `metrics` if there were any.
  void finish(nlohmann::json& metrics);

 private:
  struct alignas(64) Probe {  // a cache line each: they are written all the time
    std::uint64_t own_ns_max = 0;
    std::uint64_t all_ns_max = 0;
  };

  void watch(Probe& probe);

  std::vector<Probe> probes_;
  std::atomic<bool> stop_{false};
  std::atomic<std::int64_t> last_progress_ns_;  // of any probe
  tandem::TaskGroup group_;                     // last, so that the probes end before what they use
};

}  // namespace lab
