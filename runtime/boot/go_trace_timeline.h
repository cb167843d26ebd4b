#pragma once
// The events of a recording in the order in which they are played (go_trace.h).

#include <cstdint>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "runtime/boot/go_trace.h"

namespace tandem::boot {

class Timeline {
 public:
  enum class Part : std::uint8_t { kWhole, kBegin, kEnd };  // of a span, begin and end are two events

  struct Event : Recording::Event {
    Part part = Part::kWhole;
    bool taken = false;        // has been played before its time
    std::size_t recorded = 0;  // its place among those of the same time
    std::size_t next = kNone;  // the next event of the same goroutine that is about its state
  };
  static constexpr std::size_t kNone = ~std::size_t{0};

  explicit Timeline(const Recording& recording);

  std::vector<Event>& events() { return events_; }
  const std::vector<Event>& events() const { return events_; }

  /// By processor, the goroutine that was running when the first event happened; 0: none, or one that nothing is known of.
  std::vector<std::uint64_t> running_at_begin(std::uint32_t processors) const;

 private:
  void link();

  std::vector<Event> events_;
};

bool is_span(seam::TraceKind kind);

}  // namespace tandem::boot
