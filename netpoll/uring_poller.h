#pragma once
// A poller over io_uring: a multishot poll request for each descriptor, which reports edges as epoll does.
//
//   U1  Requests belong to the thread that submitted them: the kernel does what is left of an event on that thread, whatever it is
//       doing, and cancels its requests when it exits. A request that ends while its registration lasts (cancelled, or the
//       completion queue was full) is made anew by the poll that sees that; what became ready in between is reported to it at once,
//       because a new request looks first.
//   U2  A request holds the file: remove() cancels it before the descriptor is closed, or the peer would not learn of that. The
//       kernel lets go of the file on the thread that submitted the request, when that is next in the kernel: until then the address
//       of a closed listener is in use, and a bind to it right away may fail. Over epoll it does not.
//   U3  An interrupt raises `interrupted_` and writes to an eventfd, for which there is a request too. A poll that is about to
//       wait looks at the flag, so a completion that another poll has consumed is not missed.
//   U4  A completion may say what the wake-up was about instead of what the descriptor's state is (EPOLLPRI with every byte, for one),
//       so nothing is concluded from what it does not say.
//
// Jens Axboe, "Efficient IO with io_uring" (2019). Submissions are made under a spin lock and handed to the kernel at once.

#include <liburing.h>

#include <atomic>
#include <cstdint>

#include "netpoll/poller.h"
#include "runtime/base/spin_lock.h"

namespace tandem::netpoll {

class UringPoller final : public Poller {
 public:
  /// As make_uring_poller().
  UringPoller();
  ~UringPoller() override;

  void interrupt() override;
  bool has_events() const override { return is_readable(ring_.ring_fd); }
  DescriptorId add(int descriptor) override;
  bool remove(DescriptorId id, int descriptor, Processor* here) override;

 private:
  struct Completion {
    std::uint64_t user_data;
    std::int32_t result;
    std::uint32_t flags;
  };

  void submit_poll(int descriptor, std::uint64_t user_data);
  void renew(std::uint64_t user_data);
  template <class Prepare>
  void submit(Prepare prepare);
  std::uint32_t gather(std::uint64_t timeout_ns, Destination destination) override;
  void wait_for_completion(std::uint64_t timeout_ns);
  std::uint32_t complete(const Completion& completion, Destination& destination);
  void take_token();

  ::io_uring ring_{};
  base::SpinLock submitting_;
  int event_ = -1;
  std::atomic<bool> polling_{false};      // somebody is inside poll()
  std::atomic<bool> interrupted_{false};  // a poll that waits should return
};

}  // namespace tandem::netpoll
