#pragma once
// The test of a check is that it fails: builds with TANDEM_PLANTED_BUGS=1 can be given one bug each by the environment
// variable TANDEM_PLANTED_BUG=<number>, and tests/ show that it is found. In all other builds planted() is false and gone.

#include <cstdlib>

namespace tandem::gc {

enum class PlantedBug : int {
  kNone = 0,
  kNoShadeOfOldValue = 1,        // the barrier forgets what is overwritten
  kNoShadeOfNewValue = 2,        // the barrier forgets the new value while stacks are unscanned
  kNoShadeOfLoads = 3,           // loads and copies of Locals do not shade while stacks are unscanned
  kNoFlushRound = 4,             // the end of marking does not ask for grey objects in the processors' packets
  kNoActivityCheck = 5,          // ... or whether anything was shaded since
  kWhiteAllocation = 6,          // objects are allocated white while marking
  kSkipClosures = 7,             // closures of goroutines are not scanned
  kSkipOneStack = 8,             // one goroutine in 64 is not scanned
  kNoPersistents = 9,            // Persistents are not scanned
  kNoShadeOfWeakLocks = 10,      // what a weak reference gives back while marking is not shaded
  kOneEphemeronPass = 11,        // values of WeakMaps that lead to further keys are not followed
  kNoRescan = 12,                // barrier = insertion_rescan: marking ends without the second round of roots
  kSummariesOutliveStores = 13,  // a Local that another goroutine makes on a stack does not end the stack's summary
  kSummariesOutliveRuns = 14,    // nor does its owner when it runs
  kSummariesMissWriters = 15,    // a store during the walk that makes the summary is overlooked
};

#if defined(TANDEM_PLANTED_BUGS) && TANDEM_PLANTED_BUGS
inline bool planted(PlantedBug bug) {
  static const int chosen = [] {
    const char* text = std::getenv("TANDEM_PLANTED_BUG");
    return text ? std::atoi(text) : 0;
  }();
  return static_cast<int>(bug) == chosen;
}
#else
constexpr bool planted(PlantedBug) { return false; }
#endif

}  // namespace tandem::gc
