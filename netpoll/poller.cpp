#include "netpoll/poller.h"

#include <poll.h>
#include <sys/epoll.h>

#include <atomic>

namespace tandem::netpoll {

namespace {
std::uint64_t next_session() {
  static std::atomic<std::uint64_t> sessions{0};
  return sessions.fetch_add(1, std::memory_order_relaxed) + 1;
}
}  // namespace

Poller::Poller() : session_(next_session()) {}

std::uint32_t Poller::poll(std::uint64_t timeout_ns, Processor* here) {
  return gather(timeout_ns, Destination([](void* given) { return static_cast<Processor*>(given); }, here));
}

std::uint32_t Poller::wait(std::uint64_t timeout_ns, Processor* (*acquire)(void*), void* argument) {
  return gather(timeout_ns, Destination(acquire, argument));
}

bool is_readable(int descriptor) {
  ::pollfd request{descriptor, POLLIN, 0};
  return ::poll(&request, 1, 0) > 0;
}

std::uint32_t readiness_of(std::uint32_t poll_events) {
  std::uint32_t bits = 0;
  if (poll_events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP)) bits |= kReadable;
  if (poll_events & (EPOLLOUT | EPOLLHUP)) bits |= kWritable;
  if (poll_events & EPOLLERR) bits |= kError;
  if (poll_events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI)) bits |= kUncertain;
  return bits;
}

}  // namespace tandem::netpoll
