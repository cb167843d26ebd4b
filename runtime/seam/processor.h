#pragma once
// The processor (P): the right to run goroutines and to allocate, and one party of every handshake. A worker is an OS
// thread bound to a processor. Fields are grouped by who writes them.

#include <atomic>
#include <cstdint>

#include "runtime/base/cache_line.h"
#include "runtime/base/histogram.h"
#include "tandem/detail/words.h"

namespace tandem::sched {
struct ProcessorState;
struct Worker;
}  // namespace tandem::sched
namespace tandem::gc {
struct ProcessorState;
}

namespace tandem::seam {

struct Goroutine;
class TraceRing;

/// Who drives the processor. Changed by compare-and-swap; acquire on taking it, release on giving it up.
///   running   a worker thread drives it and serves its requests
///   idle      no thread; whoever swaps idle -> claimed may act for it, idle -> running may run it
///   blocked   its worker, whose index it carries, is inside blocking(f); that worker may swap it back to running,
///             anybody to claimed, the monitor to idle (sched/blocking.cpp)
///   claimed   a handshake requester acts for it for a few hundred nanoseconds; wait (spin)
enum class ProcessorStatus : std::uint32_t { kRunning, kIdle, kBlocked, kClaimed };

inline constexpr unsigned kStatusWorkerShift = 8;

/// The index tells a worker's own blocked processor from one that was taken away, driven by others and blocked again.
inline ProcessorStatus blocked_by(std::uint32_t worker) {
  return static_cast<ProcessorStatus>(static_cast<std::uint32_t>(ProcessorStatus::kBlocked) |
                                      worker << kStatusWorkerShift);
}
inline bool is_blocked(ProcessorStatus status) {
  constexpr std::uint32_t kKindMask = (1U << kStatusWorkerShift) - 1;
  return (static_cast<std::uint32_t>(status) & kKindMask) == static_cast<std::uint32_t>(ProcessorStatus::kBlocked);
}

/// Requests to one processor, served at its next safepoint or before it runs any goroutine.
enum RequestBits : std::uint32_t {
  kRequestHandshake = 1,
  kRequestPreempt = 2,           // the running goroutine has used up its slice
  kRequestCollectorQuantum = 4,  // its share of mark work is due (fractional marking)
  kRequestHold = 8,              // stop = stop_the_world: stay at the safepoint until released
};

/// How this processor treats goroutine states; written by its owner (or claimer) in handshake operations.
enum class ScanMode : std::uint32_t {
  kNone,              // no stack can be claimed: transitions are plain stores
  kClaims,            // handshake 2 acknowledged: stacks may be claimed, transitions are compare-and-swap
  kScanBeforeResume,  // handshake 3 acknowledged: a goroutine not scanned in this cycle is scanned before it is resumed
};

struct alignas(base::kCacheLineBytes) Processor : detail::ProcessorWords {
  // -- Owner writes.
  std::uint32_t index = 0;
  ScanMode scan_mode = ScanMode::kNone;
  bool allocate_black = false;      // set by handshake 2, cleared by handshake 4
  Goroutine* running = nullptr;     // null while its worker is in the scheduler loop
  TraceRing* trace = nullptr;       // where what it does is recorded; null: nowhere; fixed while the runtime runs
  sched::Worker* worker = nullptr;  // the thread that drives it; null while idle
  sched::ProcessorState* sched = nullptr;  // fixed while the runtime runs
  gc::ProcessorState* gc = nullptr;        // fixed while the runtime runs

  // -- Anybody writes.
  alignas(base::kCacheLineBytes) std::atomic<std::uint32_t> requests{0};
  std::atomic<ProcessorStatus> status{ProcessorStatus::kIdle};
  std::atomic<std::uint64_t> acknowledged{0};  // number of the last handshake acknowledged by or for it

  // -- Statistics; single writer: owner or claimer.
  alignas(base::kCacheLineBytes) base::Histogram time_to_safepoint;  // ns from request to acknowledgement
};

}  // namespace tandem::seam
