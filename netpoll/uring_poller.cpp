#include "netpoll/uring_poller.h"

#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <mutex>
#include <system_error>

#include "runtime/base/assert.h"

namespace tandem::netpoll {

namespace {

constexpr unsigned kSubmissionEntries = 64;  // one is used at a time
constexpr unsigned kCompletionEntries = 8192;
constexpr std::uint64_t kTokenData = 0;       // no registration packs to 0: generations start at 1
constexpr std::uint64_t kCancelData = ~0ull;  // completions of cancellations, which say nothing
constexpr std::uint64_t kNoLimit = UINT64_MAX;
constexpr unsigned kCompletionsPerTurn = 128;
constexpr unsigned kEvents = EPOLLIN | EPOLLOUT | EPOLLRDHUP;  // of a multishot request: edges

[[noreturn]] void throw_error(int error, const char* what) {
  throw std::system_error(error, std::generic_category(), what);
}

/// Whether there is anything to wait for: poll requests for others end at once.
bool can_be_polled(int descriptor) {
  struct ::stat status;
  return ::fstat(descriptor, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

}  // namespace

std::unique_ptr<Poller> make_uring_poller() { return std::make_unique<UringPoller>(); }

UringPoller::UringPoller() {
  ::io_uring_params parameters{};
  parameters.flags = IORING_SETUP_CQSIZE;
  parameters.cq_entries = kCompletionEntries;
  const int result = ::io_uring_queue_init_params(kSubmissionEntries, &ring_, &parameters);
  if (result < 0) throw_error(-result, "tandem: io_uring_setup");
  // Multishot polls came with the release (5.13) of this feature; waits with a timeout, and completions that are kept when the
  // queue is full, earlier.
  constexpr unsigned kNeeded = IORING_FEAT_RSRC_TAGS | IORING_FEAT_EXT_ARG | IORING_FEAT_NODROP;
  event_ = (parameters.features & kNeeded) == kNeeded ? ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) : -1;
  if (event_ < 0) {
    const int error = (parameters.features & kNeeded) == kNeeded ? errno : ENOSYS;
    ::io_uring_queue_exit(&ring_);
    throw_error(error, error == ENOSYS ? "tandem: io_uring of this kernel has no multishot polls"
                                       : "tandem: eventfd of the poller");
  }
  submit_poll(event_, kTokenData);
}

UringPoller::~UringPoller() {
  ::io_uring_queue_exit(&ring_);
  ::close(event_);
}

template <class Prepare>
void UringPoller::submit(Prepare prepare) {
  ::io_uring_sqe* const entry = ::io_uring_get_sqe(&ring_);
  TANDEM_CHECK(entry != nullptr, "an io_uring submission was left in the queue");
  prepare(*entry);
  for (;;) {
    const int result = ::io_uring_submit(&ring_);
    if (result >= 0) return;
    // Out of memory for the moment, or a signal.
    if (result != -EINTR && result != -EAGAIN && result != -EBUSY && result != -ENOMEM)
      base::fatal("io_uring_enter: %s", std::generic_category().message(-result).c_str());
    ::sched_yield();
  }
}

/// With submitting_ held, except in the constructor.
void UringPoller::submit_poll(int descriptor, std::uint64_t user_data) {
  submit([=](::io_uring_sqe& entry) {
    ::io_uring_prep_poll_multishot(&entry, descriptor, user_data == kTokenData ? EPOLLIN : kEvents);
    ::io_uring_sqe_set_data64(&entry, user_data);
  });
}

std::uint32_t UringPoller::gather(std::uint64_t timeout_ns, Destination destination) {
  // Acquire, and release below: the completion queue is handed from one poller to the next.
  if (polling_.exchange(true, std::memory_order_acquire)) return 0;
  if (timeout_ns != 0) {
    wait_for_completion(timeout_ns);
    take_token();
  }
  std::array<::io_uring_cqe*, kCompletionsPerTurn> found;
  std::array<Completion, kCompletionsPerTurn> completions;
  const unsigned count = ::io_uring_peek_batch_cqe(&ring_, found.data(), kCompletionsPerTurn);
  for (unsigned index = 0; index < count; ++index)
    completions[index] = {found[index]->user_data, found[index]->res, found[index]->flags};
  ::io_uring_cq_advance(&ring_, count);
  // Before the goroutines are made runnable, which takes a while: a worker that wants to wait meanwhile may.
  polling_.store(false, std::memory_order_release);
  std::uint32_t woken = 0;
  for (unsigned index = 0; index < count; ++index) woken += complete(completions[index], destination);
  return woken;
}

/// Until there is a completion, an interrupt, or the time is over. A signal ends it too: the caller looks around and comes again.
void UringPoller::wait_for_completion(std::uint64_t timeout_ns) {
  if (interrupted_.load(std::memory_order_acquire)) return;  // U3
  ::io_uring_cqe* first = nullptr;
  if (timeout_ns == kNoLimit) {
    ::io_uring_wait_cqe(&ring_, &first);
    return;
  }
  ::__kernel_timespec timeout{static_cast<std::int64_t>(timeout_ns / 1'000'000'000),
                              static_cast<long long>(timeout_ns % 1'000'000'000)};
  ::io_uring_wait_cqe_timeout(&ring_, &first, &timeout);
}

std::uint32_t UringPoller::complete(const Completion& completion, Destination& destination) {
  if (completion.user_data == kCancelData) return 0;
  if ((completion.flags & IORING_CQE_F_MORE) == 0) renew(completion.user_data);
  if (completion.user_data == kTokenData || completion.result == -ECANCELED) return 0;
  const std::uint32_t events =
      completion.result < 0 ? static_cast<std::uint32_t>(EPOLLERR) : static_cast<std::uint32_t>(completion.result);
  return table_.deliver(DescriptorId::unpack(completion.user_data), readiness_of(events), destination.get());
}

/// U1: a request that has ended, if what it was made for lasts.
void UringPoller::renew(std::uint64_t user_data) {
  const std::lock_guard guard(submitting_);
  const int descriptor = user_data == kTokenData ? event_ : table_.descriptor(DescriptorId::unpack(user_data));
  if (descriptor >= 0) submit_poll(descriptor, user_data);
}

/// The flag first: an interrupt between the two writes again, and the next poll returns early for nothing.
void UringPoller::take_token() {
  // Acquire-release: pairs with the exchange in interrupt(); what was done before it is seen after this poll.
  if (!interrupted_.exchange(false, std::memory_order_acq_rel)) return;
  std::uint64_t count;
  [[maybe_unused]] const ::ssize_t taken = ::read(event_, &count, sizeof count);
}

void UringPoller::interrupt() {
  if (interrupted_.exchange(true, std::memory_order_acq_rel)) return;
  const int saved_errno = errno;  // it may run in a signal handler
  const std::uint64_t one = 1;
  while (::write(event_, &one, sizeof one) < 0 && errno == EINTR) {
  }
  errno = saved_errno;
}

DescriptorId UringPoller::add(int descriptor) {
  if (!can_be_polled(descriptor)) throw_error(EPERM, "tandem: io_uring poll");
  const DescriptorId id = table_.add(/*uncertain=*/true);  // U4
  const std::lock_guard guard(submitting_);
  table_.set_descriptor(id, descriptor);
  submit_poll(descriptor, id.packed());
  return id;
}

bool UringPoller::remove(DescriptorId id, int, Processor* here) {
  {
    const std::lock_guard guard(submitting_);
    if (table_.descriptor(id) >= 0) {
      table_.set_descriptor(id, -1);  // not renewed from here on
      // Not IORING_OP_POLL_REMOVE, which leaves a request alone that is just being woken.
      submit([=](::io_uring_sqe& entry) {
        ::io_uring_prep_cancel64(&entry, id.packed(), 0);
        ::io_uring_sqe_set_data64(&entry, kCancelData);
      });
    }
  }
  return table_.remove(id, here);
}

}  // namespace tandem::netpoll
