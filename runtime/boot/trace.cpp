#include "runtime/boot/trace.h"

#include <tandem/statistics.h>

#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <unordered_map>

#include "runtime/boot/active_run.h"
#include "runtime/boot/go_trace.h"
#include "runtime/boot/go_trace_words.h"
#include "runtime/boot/write_file.h"
#include "runtime/seam/registry.h"
#include "sched/goroutine_snapshot.h"

namespace tandem::boot {

namespace {

constexpr std::uint64_t kDefaultBufferBytes = std::uint64_t{32} << 20;  // a million events

/// Adds a ring's records. Where it has lost some, the trace begins after them: before, it would show a processor that does
/// nothing, and goroutines that wake up by themselves.
std::uint64_t add(Recording& recording, const seam::TraceRing::Copy& copy, std::uint32_t processor) {
  if (copy.overwritten != 0 && !copy.records.empty())
    recording.begin_ns = std::max(recording.begin_ns, copy.records.front().time_ns);
  for (const seam::TraceRecord& record : copy.records) recording.events.push_back({record, processor});
  return copy.overwritten;
}

/// Returns how many events are missing. The end comes first: later events are in one ring, but not in another that was copied
/// before.
std::uint64_t add_all(Recording& recording, const seam::Trace& trace) {
  recording.end_ns = base::real_now_ns();
  recording.begin_ns = trace.began_ns();
  std::uint64_t missing = add(recording, trace.copy_outside(), Recording::kOutside);
  for (std::uint32_t i = 0; i < recording.processors; ++i) missing += add(recording, trace.ring(i).copy(), i);
  recording.begin_ns = std::min(recording.begin_ns, recording.end_ns);
  return missing;
}

void add_goroutines(Recording& recording) {
  std::unordered_map<const char*, std::string> names_of_types;
  for (sched::GoroutineSnapshot& goroutine : sched::snapshot_goroutines()) {
    Recording::LiveGoroutine live{goroutine.id, goroutine.state, goroutine.processor, {}, std::move(goroutine.name)};
    if (goroutine.wait_reason != nullptr) live.wait_reason = goroutine.wait_reason;
    if (live.label.empty() && goroutine.type != nullptr) {
      std::string& name = names_of_types[goroutine.type];
      if (name.empty()) name = demangled_type(goroutine.type);
      live.label = name;
    }
    recording.goroutines.push_back(std::move(live));
  }
}

/// The run cannot end while the lock is held; the rings can be copied after it has.
std::shared_ptr<seam::Trace> look_at_run(Recording& recording) {
  const std::lock_guard guard(active_run.lock);
  if (active_run.options == nullptr)
    throw std::logic_error("tandem::write_trace: nothing runs; call it inside tandem::run, or set Options::trace");
  recording.processors = static_cast<std::uint32_t>(seam::registry.all_processors().size());
  add_goroutines(recording);
  return active_run.trace;
}

}  // namespace

std::shared_ptr<seam::Trace> make_trace(const Options& options) {
  if (options.trace.empty() && options.trace_buffer == 0) return nullptr;
  const std::uint64_t bytes = options.trace_buffer != 0 ? options.trace_buffer : kDefaultBufferBytes;
  return std::make_shared<seam::Trace>(options.processors, bytes);
}

void write_trace_of_run(const Options& options, const std::shared_ptr<seam::Trace>& trace) noexcept {
  try {
    Recording recording;
    recording.processors = options.processors;
    const std::uint64_t missing = add_all(recording, *trace);
    write_file(options.trace, go_trace(recording), "tandem: trace");
    if (missing != 0)
      std::fprintf(
          stderr,
          "tandem: trace %s: the oldest %llu events did not fit and are missing; the trace is the last %.3f s. A "
          "larger trace_buffer holds more\n",
          options.trace.c_str(), static_cast<unsigned long long>(missing),
          static_cast<double>(recording.end_ns - recording.begin_ns) / 1e9);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "tandem: no trace has been written: %s\n", error.what());
  }
}

}  // namespace tandem::boot

namespace tandem {

void write_trace(const std::filesystem::path& path) {
  boot::Recording recording;
  const std::shared_ptr<seam::Trace> trace = boot::look_at_run(recording);
  if (trace != nullptr)
    boot::add_all(recording, *trace);
  else
    recording.begin_ns = recording.end_ns = base::real_now_ns();
  boot::write_file(path, boot::go_trace(recording), "tandem::write_trace");
}

}  // namespace tandem
