#pragma once
// The ragged handshake: an operation that every processor runs once, each at its own safepoint, none waiting for another
// (Doligez and Gonthier 1994). Idle and blocked processors are acknowledged on their behalf by the requester.
//
// Argument. request() publishes the number, sets each processor's request bit, then reads its status; a worker that gives
// its processor up stores the status, then reads the requests (both sequentially consistent): one of the two sees the
// other, so the operation is run by the requester (status idle or blocked: swapped to claimed) or by the worker (bit seen,
// processor taken back, or served before anything runs). `acknowledged` makes it exactly once: only the driver or claimer
// of the processor writes it, and the status is their lock. The last acknowledgement runs `completed`, on that
// processor, and usually requests the next handshake: a phase changes with no wake-up in between.

#include <atomic>
#include <cstdint>

#include "runtime/seam/processor.h"

namespace tandem::seam {

struct HandshakeOperation {
  const char* name;
  /// For each processor, by its owner at a safepoint or by its claimer. Must not park, request, or take long.
  void (*run)(Processor& processor);
  /// After all of them, on the processor `here` that acknowledged last (or whose worker acted for the last one).
  void (*completed)(Processor& here);
};

class Handshake {
 public:
  /// Starts a handshake; the calling worker drives `here` and is at a safepoint. At most one is in flight: call it when
  /// none is, or from `completed` of the one before.
  void request(const HandshakeOperation& operation, Processor& here);

  /// Zeal (Options::handshake_every_poll): a handshake that does nothing, unless one is in flight. At a safepoint of `here`. A
  /// handshake that is requested meanwhile is put off until it is complete.
  void request_nothing(Processor& here);
  bool zealous() const { return zealous_; }

  /// Runs what is pending for `processor`, which the caller drives; `here` is where completions run (the same one).
  void acknowledge(Processor& processor);

  bool pending_for(const Processor& processor) const {
    return processor.acknowledged.load(std::memory_order_relaxed) != number_.load(std::memory_order_acquire);
  }
  std::uint64_t number() const { return number_.load(std::memory_order_acquire); }
  const char* name() const;                                    // of the last operation; for reports
  void reset(std::uint32_t processors, bool zealous = false);  // boot only

 private:
  void start(const HandshakeOperation& operation, Processor& here);
  void start_put_off(Processor& here);
  bool run_for(Processor& subject, std::uint64_t number);
  void complete_if_last(bool last, Processor& here);
  void act_for_if_undriven(Processor& subject, Processor& here, std::uint64_t number);

  std::atomic<std::uint64_t> number_{0};
  std::atomic<const HandshakeOperation*> operation_{nullptr};
  std::atomic<std::uint32_t> remaining_{0};
  std::atomic<std::uint64_t> requested_at_ns_{0};
  std::uint32_t processors_ = 0;

  // -- Zeal. Who swaps `busy_` to true starts a handshake; its completion swaps it back.
  bool zealous_ = false;
  std::atomic<bool> busy_{false};
  std::atomic<const HandshakeOperation*> put_off_{nullptr};
};

}  // namespace tandem::seam
