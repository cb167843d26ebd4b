#pragma once
// A poller over epoll: edge-triggered, one registration a descriptor, timeouts in nanoseconds.
//
// interrupt() leaves a token in an eventfd that only a waiting poll takes; a poll with timeout 0 leaves it where it is.

#include <atomic>
#include <cstdint>

#include "netpoll/poller.h"

struct epoll_event;

namespace tandem::netpoll {

class EpollPoller final : public Poller {
 public:
  /// As make_epoll_poller().
  EpollPoller();
  ~EpollPoller() override { close(); }

  void interrupt() override;
  bool has_events() const override { return is_readable(epoll_); }
  DescriptorId add(int descriptor) override;
  bool remove(DescriptorId id, int descriptor, Processor* here) override;

  /// For tests: behave as on a kernel before 5.11, which has no epoll_pwait2 (timeouts are then rounded up to
  /// ms).
  void use_millisecond_timeouts() { has_pwait2_ = false; }

 private:
  std::uint32_t gather(std::uint64_t timeout_ns, Destination destination) override;
  int wait_for(::epoll_event* events, int capacity, std::uint64_t timeout_ns);
  void take_token();
  void close() noexcept;

  int epoll_ = -1;
  int event_ = -1;
  bool has_pwait2_ = true;                // written by the one thread that polls
  std::atomic<bool> polling_{false};      // somebody is inside epoll
  std::atomic<bool> interrupted_{false};  // the token lies in the eventfd, or is about to
};

}  // namespace tandem::netpoll
