#pragma once
// One collection cycle. Read runtime/seam/seam.h first for the whole story; this file is its conductor: each step is begun
// by the completion of the one before, on whichever processor that happened, so no step waits for a thread to wake up.
//
//   start            a cycle is asked for           -> kFinishSweep: work: rest of the sweep, then mark bits are cleared
//   begin            mark bits are clear            -> kBarrier: barrier on, handshake 1
//   barrier_seen     handshake 1 complete           -> kBlack: handshake 2
//   all_black        handshake 2 complete           -> kRoots: handshake 3 (each scans the goroutine it runs)
//   running_scanned  handshake 3 complete           -> work: walk over all goroutines, Persistents
//   all_scanned      the walk is complete           -> a handshake, so that loads under way have shaded what they read
//   loads_settled    that handshake complete        -> kMark: loads no longer shade; work: mark
//   try_to_end       no worker marks, none is grey  -> kFlush: flush handshake
//   flushed          flush complete                 -> kMark again, or commit; or once, with barrier = insertion_rescan and
//                                                      the world held, kRoots again
//   commit           there was an instant with no grey object -> kOff: barrier off, handshake 4
//   finished         handshake 4 complete           -> kIdle: everything is unswept
//
// The end of marking (DESIGN 13.13). try_to_end swaps kMark for kFlush, then sees no active marker; a worker that enters
// marking counts itself active, then sees kMark; both in sequentially consistent order, so none marks during the round. In
// the round each processor publishes what is grey in its packet (then the round is dirty) and notes its activity counter.
// If afterwards nothing is published and no counter has moved, then between the last acknowledgement and the judgement no
// processor shaded, published or took anything: at the instant of the last acknowledgement no grey object existed. All
// stacks are scanned, all allocation is black, all stores shade what they overwrite: nothing white is reachable, but for the
// values of WeakMaps, for which marking goes on (ephemeron_pass.h) until a pass over them has found nothing new.

#include <atomic>
#include <cstdint>

#include "gc/processor_state.h"
#include "runtime/seam/handshake.h"
#include "runtime/seam/phase.h"
#include "runtime/seam/ports.h"
#include "runtime/seam/processor.h"

namespace tandem::gc {

class Cycle {
 public:
  void begin_run();

  /// Starts a cycle unless one is running. Any worker at a safepoint, or an allocation's slow path.
  void start();
  bool running() const { return seam::current_phase() != seam::Phase::kIdle; }

  /// Collector work of the current phase. False: there was none for this processor.
  bool work(seam::Processor& processor, std::uint64_t deadline_ns);
  /// Could work() do something now?
  bool has_work() const;

  /// Cycles that have ended (their sweep may go on).
  std::uint64_t completed() const { return completed_.load(std::memory_order_acquire); }
  /// The first cycle that starts after this call (correction 13.18).
  std::uint64_t next_to_start() const;

 private:
  bool trim(std::uint64_t deadline_ns);
  bool clear_marks(seam::Processor& processor);
  void begin(seam::Processor& here);
  bool walk_roots(seam::Processor& processor, std::uint64_t deadline_ns);
  bool mark(seam::Processor& processor, std::uint64_t deadline_ns);
  bool mark_known(ProcessorState& state, std::uint64_t deadline_ns);
  bool feed_executor(ProcessorState& state);
  void offer_marking();
  bool try_to_end(seam::Processor& here);

  static void see_barrier(seam::Processor& processor);
  static void allocate_black(seam::Processor& processor);
  static void scan_running(seam::Processor& processor);
  static void settle_loads(seam::Processor& processor);
  static void flush(seam::Processor& processor);
  static void stand_still(seam::Processor& processor);
  static void allocate_white(seam::Processor& processor);

  static void barrier_seen(seam::Processor& here);
  static void all_black(seam::Processor& here);
  static void running_scanned(seam::Processor& here);
  static void all_scanned(seam::Processor& here);
  static void loads_settled(seam::Processor& here);
  static void flushed(seam::Processor& here);
  static void verified(seam::Processor& here);
  static void finished(seam::Processor& here);

  enum class Judgement { kMarkOn, kRescan, kCommitted };
  Judgement judge(seam::Processor& here);
  void begin_rescan(seam::Processor& here);
  void after_commit(seam::Processor& here);
  void set_phase(seam::Phase phase);

  static const seam::HandshakeOperation kSeeBarrier;
  static const seam::HandshakeOperation kAllocateBlack;
  static const seam::HandshakeOperation kScanRunning;
  static const seam::HandshakeOperation kSettleLoads;
  static const seam::HandshakeOperation kFlushGrey;
  static const seam::HandshakeOperation kVerify;
  static const seam::HandshakeOperation kAllocateWhite;

  std::atomic<std::uint64_t> completed_{0};
  std::atomic<bool> roots_open_{false};  // handshake 3 is complete: stacks may be claimed
  bool rescanned_ = false;               // barrier = insertion_rescan: the last round of this cycle has begun
  std::uint64_t started_at_ns_ = 0;
  std::uint64_t mark_started_at_ns_ = 0;
};

extern Cycle cycle;

}  // namespace tandem::gc
