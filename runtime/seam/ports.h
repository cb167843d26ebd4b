#pragma once
// The three ports, named after who provides them. Cold paths only: hot paths read the words of Goroutine, Processor and
// GlobalWords inline. No lock is held when a port is called.

#include <cstddef>
#include <cstdint>

#include "runtime/seam/goroutine.h"

namespace tandem::seam {

struct Processor;

/// Names one park of one goroutine: at most one wake() succeeds with it.
struct ParkTicket {
  Goroutine* goroutine = nullptr;
  std::uint64_t number = 0;
};

/// Provided by sched/, used by gc/ and netpoll/. May be called on any processor's worker.
class SchedulerPort {
 public:
  virtual ~SchedulerPort() = default;
  /// Puts a goroutine whose state is already runnable on the calling processor's queue and wakes a worker if one idles.
  virtual void enqueue(Goroutine& goroutine, Processor& here) = 0;
  /// Wakes up to `workers` idle workers, because there is collector work.
  virtual void wake_for_collector_work(std::uint32_t workers) = 0;
  /// A step of the cycle has begun, with so many pieces of work. Wakes as many idle workers, at least one, and not more: one
  /// that finds nothing has become a party of the next handshake, which waits until it has been given a CPU. Where none
  /// idles, asks one running processor, in turn, for a quantum at its next safepoint: so a cycle gets on at the pace of
  /// safepoints, not of slices.
  virtual void offer_cycle_step(std::size_t pieces) = 0;
  /// Parks the running goroutine until `finished` holds, which is looked at again at each recheck_waiters(). Not cancellable. For gc/ (collect, stalls).
  virtual void park_until(bool (*finished)(void*), void* argument, const char* reason) = 0;
  /// Makes every goroutine that waits in park_until look at its condition again.
  virtual void recheck_waiters() = 0;
  /// Parks the running goroutine until wake() succeeds with the ticket that `publish` is given (kReady), `deadline_ns` on the
  /// runtime's clock has come (kTimeout; UINT64_MAX: never), or it is cancelled (kCancelled: the caller withdraws what it has
  /// published, then calls check_cancelled). `publish` is called once the goroutine has left its stack; false: do not wait after
  /// all (kReady). For netpoll/.
  virtual WakeReason park_published(bool (*publish)(void* argument, ParkTicket ticket), void* argument,
                                    std::uint64_t deadline_ns, const char* reason) = 0;
  /// Makes the goroutine runnable, on `here`, or somewhere where that is null. False: another one has, or it was cancelled. Any
  /// thread.
  virtual bool wake(ParkTicket ticket, Processor* here) = 0;
  /// Throws Cancelled if the running goroutine is to be told so here.
  virtual void check_cancelled() = 0;
  /// Calls a function that may block the thread; the processor can be taken over meanwhile. On a goroutine only.
  virtual void run_blocking(void (*function)(void*), void* argument) = 0;
  /// Starts a goroutine of the runtime's own (finaliser); it is not counted, nor cancelled by the end of run.
  virtual void spawn_runtime_goroutine(const char* name, void (*body)(void*), void* argument) = 0;
  /// The running goroutine has used up its slice: puts it at the end of the injection queue and runs another one.
  virtual void preempt_running(Goroutine& goroutine) = 0;
};

/// Who asks for collector work, for accounting and for the bound that applies.
enum class WorkKind : std::uint32_t { kFractional, kIdle, kAssist, kHeld };

/// Provided by gc/, used by sched/. Operations never park.
class CollectorPort {
 public:
  virtual ~CollectorPort() = default;
  /// Gives `processor` its windows and buffers / takes them back. Called while no goroutine runs.
  virtual void attach(Processor& processor) = 0;
  virtual void detach(Processor& processor) = 0;
  /// Is there anything work() could do now? Cheap (a few loads).
  virtual bool has_work() const = 0;
  /// Does collector work of the current phase for at most about `budget_ns`; false when there was nothing to do.
  virtual bool work(Processor& processor, std::uint64_t budget_ns, WorkKind kind) = 0;
  /// Scans the roots of a goroutine that the caller owns by claim, by having dequeued it, or by being it (then `sp` is
  /// the caller's stack pointer); sets scanned_round.
  virtual void scan(Goroutine& goroutine, Processor& processor) = 0;
  /// Destructors and cleanups of what is left, at the end of run; called on the first goroutine when all others ended.
  virtual void finish_run() = 0;
};

/// Provided by netpoll/, used by sched/.
class PollerPort {
 public:
  virtual ~PollerPort() = default;
  /// Waits up to `timeout_ns` (0: not at all; UINT64_MAX: no limit) for events; makes their goroutines runnable on
  /// `here` (null: through the injection queue). Returns how many. One caller at a time waits; others return 0 at once.
  virtual std::uint32_t poll(std::uint64_t timeout_ns, Processor* here) = 0;
  /// As poll(), for a worker without a processor: when there are events, and before it makes the first goroutine runnable,
  /// it calls `acquire`, once, for what poll() is given as `here`.
  virtual std::uint32_t wait(std::uint64_t timeout_ns, Processor* (*acquire)(void*), void* argument) = 0;
  /// Makes a waiting poll return. From any thread, async-signal-safe.
  virtual void interrupt() = 0;
  /// Goroutines that wait for a descriptor: with any, sleeping workers are not a deadlock.
  virtual std::uint32_t waiters() const = 0;
  /// Would poll() find events? (Not all wake somebody.) From any thread.
  virtual bool has_events() const = 0;
  /// Descriptors that are registered: open sockets.
  virtual std::uint32_t descriptors() const = 0;
};

}  // namespace tandem::seam
