#include "runtime/boot/go_trace_timeline.h"

#include <algorithm>

namespace tandem::boot {

using seam::TraceKind;

bool is_span(TraceKind kind) { return kind >= TraceKind::kMarkFractional; }

Timeline::Timeline(const Recording& recording) {
  events_.reserve(recording.events.size());
  for (const Recording::Event& recorded : recording.events) {
    if (recorded.time_ns < recording.begin_ns || recorded.time_ns > recording.end_ns) continue;
    if (recorded.kind == TraceKind::kNone) continue;
    if (recorded.processor != Recording::kOutside && recorded.processor >= recording.processors) continue;
    Event event{recorded};
    if (!is_span(recorded.kind)) {
      events_.push_back(event);
      continue;
    }
    event.part = Part::kBegin;
    event.time_ns = std::clamp(recorded.argument, recording.begin_ns, recorded.time_ns);
    events_.push_back(event);
    event.part = Part::kEnd;
    event.time_ns = recorded.time_ns;
    events_.push_back(event);
  }
  for (std::size_t i = 0; i < events_.size(); ++i) events_[i].recorded = i;
  std::sort(events_.begin(), events_.end(), [](const Event& a, const Event& b) {
    return a.time_ns != b.time_ns ? a.time_ns < b.time_ns : a.recorded < b.recorded;
  });
  link();
}

void Timeline::link() {
  std::unordered_map<std::uint64_t, std::size_t> following;
  for (std::size_t i = events_.size(); i-- > 0;) {
    Event& event = events_[i];
    if (event.goroutine == 0 || is_span(event.kind)) continue;
    const auto [entry, fresh] = following.try_emplace(event.goroutine, kNone);
    event.next = entry->second;
    entry->second = i;
  }
}

std::vector<std::uint64_t> Timeline::running_at_begin(std::uint32_t processors) const {
  std::vector<std::uint64_t> running(processors, 0);
  std::vector<bool> decided(processors, false);
  std::unordered_set<std::uint64_t> seen;  // goroutines of which something else was known before
  std::uint32_t undecided = processors;
  for (const Event& event : events_) {
    if (undecided == 0) break;
    const bool decides = event.processor != Recording::kOutside && !decided[event.processor] &&
                         event.kind != TraceKind::kCreate && event.kind != TraceKind::kUnblock &&
                         event.kind != TraceKind::kHeapBytes;
    if (decides) {
      decided[event.processor] = true;
      --undecided;
      const bool had_been_running = (event.kind >= TraceKind::kBlock && event.kind <= TraceKind::kEnd) ||
                                    event.kind == TraceKind::kBlockingBegin ||
                                    (is_span(event.kind) && event.part == Part::kBegin);
      if (had_been_running && !seen.contains(event.goroutine)) running[event.processor] = event.goroutine;
    }
    if (event.goroutine != 0) seen.insert(event.goroutine);
  }
  return running;
}

}  // namespace tandem::boot
