// The goroutine dump. While goroutines run it is no consistent picture: states are read once, stacks of parked goroutines
// may be resumed under our hands (frames are checked to lie on the stack, which stays mapped).

#include "sched/dump.h"

#include <mutex>

#include "runtime/base/assert.h"
#include "runtime/base/backtrace.h"
#include "runtime/base/clock.h"
#include "runtime/seam/registry.h"
#include "sched/running_backtrace.h"
#include "sched/shared.h"
#include "sched/spawn.h"
#include "tandem/statistics.h"

namespace tandem::sched {

namespace {

/// What is read of a goroutine that may change meanwhile. Reading it is a race that is wanted: a dump must
/// not stop anybody.
struct Snapshot {
  std::uint32_t state;
  const char* wait_reason;
  const void* wait_object;
  std::uint64_t wait_since_ns;
  context::Context context;
};

[[gnu::noinline, gnu::no_sanitize_thread]] Snapshot take_snapshot(const Goroutine& goroutine) {
  const std::uint32_t state = goroutine.state.load(std::memory_order_acquire) & seam::kStateMask;
  return {state,
          goroutine.wait_reason,
          goroutine.wait_object,
          goroutine.wait_since_ns,
          {goroutine.context.sp, goroutine.context.resume, goroutine.context.frame}};
}

const char* state_text(const Snapshot& snapshot) {
  switch (snapshot.state) {
    case seam::kRunnable: return "runnable";
    case seam::kRunning: return "running";
    case seam::kBlocked: return "in a blocking call";
    default: return snapshot.wait_reason != nullptr ? snapshot.wait_reason : "waiting";
  }
}

void print_saved_backtrace(std::FILE* file, const Snapshot& snapshot) {
  if (snapshot.context.sp == nullptr) {
    std::fprintf(file, "  has not started yet\n");
    return;
  }
  // Bounds by address, not from the descriptor: whatever is read there, the frames lie on one mapped stack.
  const context::Stack stack = shared->stacks.stack_containing(snapshot.context.frame);
  void* pcs[base::kBacktraceFramesMax];
  const std::size_t count = base::capture_backtrace({snapshot.context.frame, snapshot.context.resume}, stack.low,
                                                    stack.high, pcs, base::kBacktraceFramesMax);
  std::fflush(file);
  base::print_backtrace(::fileno(file), pcs, count);
}

void print_running_backtrace(std::FILE* file, const Goroutine& goroutine) {
  const std::uint32_t count = shared->worker_count.load(std::memory_order_acquire);
  for (std::uint32_t i = 0; i < count; ++i) {
    const Worker* const worker = shared->workers[i].load(std::memory_order_acquire);
    RunningBacktrace running;
    if (worker == nullptr || !backtrace_of(*worker, running) || running.goroutine != &goroutine) continue;
    std::fflush(file);
    base::print_backtrace(::fileno(file), running.pcs, running.count);
    return;
  }
  std::fprintf(file, "  no backtrace: it moved while it was looked for\n");
}

void dump(std::FILE* file, const Goroutine& goroutine) {
  const Snapshot snapshot = take_snapshot(goroutine);
  if (snapshot.state == seam::kDead) return;
  std::fprintf(file, "%s [%s", GoroutineTitle(goroutine).text, state_text(snapshot));
  if (snapshot.state == seam::kWaiting || snapshot.state == seam::kBlocked) {
    if (snapshot.wait_object != nullptr) std::fprintf(file, " on %p", snapshot.wait_object);
    const std::uint64_t now = base::now_ns();
    if (snapshot.wait_since_ns != 0 && now > snapshot.wait_since_ns)
      std::fprintf(file, " for %.3f s", static_cast<double>(now - snapshot.wait_since_ns) / 1e9);
  }
  std::fprintf(file, "]:\n");
  if (&goroutine == seam::current_goroutine()) {
    void* pcs[base::kBacktraceFramesMax];
    const std::size_t count = base::capture_backtrace(base::current_frame(), goroutine.stack.low, goroutine.stack_base,
                                                      pcs, base::kBacktraceFramesMax);
    std::fflush(file);
    base::print_backtrace(::fileno(file), pcs, count);
  } else if (snapshot.state == seam::kRunning) {
    print_running_backtrace(file, goroutine);
  } else {
    print_saved_backtrace(file, snapshot);
  }
  std::fprintf(file, "\n");
}

constexpr std::size_t kOthersMax = 100;  // enough to see what kind of goroutine it is

bool is_other(const Goroutine& goroutine) {
  return (goroutine.state.load(std::memory_order_acquire) & seam::kStateMask) != seam::kDead &&
         (flags_of(goroutine) & (seam::kRuntimeGoroutine | seam::kFirstGoroutine)) == 0;
}

}  // namespace

[[gnu::no_sanitize_thread]] GoroutineTitle::GoroutineTitle(const Goroutine& goroutine) {
  const std::uint32_t flags = flags_of(goroutine);
  const char* const kind = flags & seam::kRuntimeGoroutine ? " (runtime)"
                           : flags & seam::kFirstGoroutine ? " (main)"
                                                           : "";
  const auto id = static_cast<unsigned long long>(goroutine.id);
  const std::lock_guard guard(shared->name_lock);  // the name is not freed while we copy it
  if (goroutine.name != nullptr)
    std::snprintf(text, sizeof text, "goroutine %llu \"%.48s\"%s", id, goroutine.name, kind);
  else
    std::snprintf(text, sizeof text, "goroutine %llu%s", id, kind);
}

void dump_all(std::FILE* file) {
  seam::GoroutineTable& table = seam::registry.goroutines;
  for (std::size_t index = 0; index < table.used(); ++index) dump(file, table.at(index));
  std::fflush(file);
}

void dump_others(std::FILE* file) {
  seam::GoroutineTable& table = seam::registry.goroutines;
  std::size_t others = 0;
  for (std::size_t index = 0; index < table.used(); ++index)
    if (is_other(table.at(index)) && others++ < kOthersMax) dump(file, table.at(index));
  if (others > kOthersMax) std::fprintf(file, "... and %zu more\n", others - kOthersMax);
  std::fflush(file);
}

void report_no_safepoint(Processor& processor, std::uint64_t for_ns) {
  const std::uint32_t count = shared->worker_count.load(std::memory_order_acquire);
  for (std::uint32_t i = 0; i < count; ++i) {
    const Worker* const worker = shared->workers[i].load(std::memory_order_acquire);
    RunningBacktrace running;
    // A worker in a blocking call still names the processor that may since have been taken from it.
    if (worker == nullptr || worker->processor.load(std::memory_order_relaxed) != &processor ||
        worker->in_blocking.load(std::memory_order_acquire) || !backtrace_of(*worker, running))
      continue;
    std::fprintf(
        stderr,
        "tandem: processor %u has reached no safepoint for %.3f s (safepoint_report); it runs %s; a loop that neither "
        "allocates nor calls the library needs tandem::safepoint():\n",
        processor.index, static_cast<double>(for_ns) / 1e9,
        running.goroutine != nullptr ? GoroutineTitle(*running.goroutine).text : "no goroutine");
    std::fflush(stderr);
    base::print_backtrace(2, running.pcs, running.count);
  }
}

}  // namespace tandem::sched

namespace tandem {

void dump_goroutines(std::FILE* file) {
  if (sched::shared == nullptr) {
    std::fprintf(file, "tandem: no run is in progress, there are no goroutines\n");
    return;
  }
  sched::dump_all(file);
}

}  // namespace tandem
