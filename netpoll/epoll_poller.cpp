#include "netpoll/epoll_poller.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <ctime>
#include <system_error>

namespace tandem::netpoll {

namespace {

constexpr int kEventsPerPoll = 128;  // 1.5 KiB of the worker's stack; more are found by the next poll
// EPOLLPRI makes nobody ready: it says that a read may stop short of an urgent byte (kUncertain).
constexpr std::uint32_t kEvents = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET;
constexpr std::uint64_t kTokenData = 0;  // no registration packs to 0: generations start at 1
constexpr std::uint64_t kNoLimit = UINT64_MAX;

[[noreturn]] void throw_errno(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

// Rounded up, so that no timeout is early.
int milliseconds_of(std::uint64_t timeout_ns) {
  if (timeout_ns == kNoLimit) return -1;
  const std::uint64_t milliseconds = timeout_ns / 1'000'000 + (timeout_ns % 1'000'000 != 0);
  return milliseconds > INT_MAX ? INT_MAX : static_cast<int>(milliseconds);
}

}  // namespace

std::unique_ptr<Poller> make_epoll_poller() { return std::make_unique<EpollPoller>(); }

EpollPoller::EpollPoller() {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) throw_errno("tandem: epoll_create1");
  event_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  // Level-triggered: the token stays visible until a waiting poll takes it.
  ::epoll_event token{};
  token.events = EPOLLIN;
  token.data.u64 = kTokenData;
  if (event_ < 0 || ::epoll_ctl(epoll_, EPOLL_CTL_ADD, event_, &token) != 0) {
    const int error = errno;
    close();
    errno = error;
    throw_errno("tandem: eventfd of the poller");
  }
}

void EpollPoller::close() noexcept {
  if (event_ >= 0) ::close(event_);
  if (epoll_ >= 0) ::close(epoll_);
}

std::uint32_t EpollPoller::gather(std::uint64_t timeout_ns, Destination destination) {
  // Acquire, and release below: what one poller left in has_pwait2_ is seen by the next.
  if (polling_.exchange(true, std::memory_order_acquire)) return 0;
  ::epoll_event events[kEventsPerPoll];
  const int found = wait_for(events, kEventsPerPoll, timeout_ns);
  // Before the goroutines are made runnable, which takes a while: a worker that wants to wait meanwhile may.
  polling_.store(false, std::memory_order_release);
  std::uint32_t woken = 0;
  for (int index = 0; index < found; ++index) {
    if (events[index].data.u64 == kTokenData) {
      if (timeout_ns != 0) take_token();
      continue;
    }
    woken += table_.deliver(DescriptorId::unpack(events[index].data.u64), readiness_of(events[index].events),
                            destination.get());
  }
  return woken;
}

// The events found, 0 for none: also after a signal, which the caller answers by looking around and polling
// again.
int EpollPoller::wait_for(::epoll_event* events, int capacity, std::uint64_t timeout_ns) {
  int found = -1;
  if (timeout_ns != 0 && timeout_ns != kNoLimit && has_pwait2_) {
    const ::timespec timeout{static_cast<::time_t>(timeout_ns / 1'000'000'000),
                             static_cast<long>(timeout_ns % 1'000'000'000)};
    found = ::epoll_pwait2(epoll_, events, capacity, &timeout, nullptr);
    // ENOSYS: an old kernel. EPERM: a seccomp filter that does not know the call.
    if (found < 0 && (errno == ENOSYS || errno == EPERM)) {
      has_pwait2_ = false;
      found = ::epoll_wait(epoll_, events, capacity, milliseconds_of(timeout_ns));
    }
  } else {
    found = ::epoll_wait(epoll_, events, capacity, milliseconds_of(timeout_ns));
  }
  return found < 0 ? 0 : found;
}

// The token first, the flag after it: while the flag is up nobody else writes, so exactly one token belongs
// to each raising. (The other way round an interrupt between the two lines would lose its token and leave the
// flag up for ever.) An interrupt that finds the flag still up needs no token: this poll is about to return.
void EpollPoller::take_token() {
  std::uint64_t count;
  [[maybe_unused]] const ::ssize_t taken = ::read(event_, &count, sizeof count);
  // Acquire-release: pairs with the exchange in interrupt(); what was done before it is seen after this poll.
  interrupted_.exchange(false, std::memory_order_acq_rel);
}

void EpollPoller::interrupt() {
  if (interrupted_.exchange(true, std::memory_order_acq_rel)) return;
  const int saved_errno = errno;  // it may run in a signal handler
  const std::uint64_t one = 1;
  while (::write(event_, &one, sizeof one) < 0 && errno == EINTR) {
  }
  errno = saved_errno;
}

DescriptorId EpollPoller::add(int descriptor) {
  const DescriptorId id = table_.add();
  ::epoll_event event{};
  event.events = kEvents;
  event.data.u64 = id.packed();
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) == 0) return id;
  const int error = errno;
  table_.remove(id, nullptr);
  errno = error;
  throw_errno("tandem: epoll_ctl(ADD)");
}

bool EpollPoller::remove(DescriptorId id, int descriptor, Processor* here) {
  // Out of epoll first: an edge that is already reported carries the old generation and is dropped.
  ::epoll_event unused{};
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, &unused);
  return table_.remove(id, here);
}

}  // namespace tandem::netpoll
