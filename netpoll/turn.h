#pragma once
// One at a time, first come, first served: a lock that parks, over SchedulerPort alone.

#include "runtime/base/spin_lock.h"
#include "runtime/seam/ports.h"

namespace tandem::netpoll {

class Turn {
 public:
  /// Takes the turn, waiting for it if somebody has it. Throws Cancelled, and then has not taken it. On a goroutine only.
  void take(const char* reason);
  /// Hands it to the first that waits and is not being cancelled. By who has it; never parks.
  void pass_on();

 private:
  struct Waiting {
    Turn& turn;
    seam::ParkTicket ticket;
    Waiting* next;
    bool queued;
    bool taken;  // there was nothing to wait for
  };
  bool try_take();
  static bool queue_up(void* waiting, seam::ParkTicket ticket);
  void withdraw(Waiting& waiting);

  base::SpinLock lock_;
  // -- Guarded by lock_.
  bool taken_ = false;
  Waiting* first_ = nullptr;
  Waiting* last_ = nullptr;
};

}  // namespace tandem::netpoll
