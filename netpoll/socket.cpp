#include "netpoll/socket.h"

#include <unistd.h>

#include <utility>

#include "runtime/base/assert.h"
#include "runtime/base/clock.h"
#include "runtime/seam/registry.h"
#include "runtime/seam/safepoint.h"

namespace tandem::detail {

using netpoll::Poller;

namespace {

Poller& running_poller() {
  if (seam::registry.poller == nullptr) base::fatal("a tandem::net socket was made outside of tandem::run");
  return static_cast<Poller&>(*seam::registry.poller);
}

struct Waiting {
  Poller& poller;
  netpoll::DescriptorId id;
  netpoll::Direction direction;
  netpoll::Known known;
  seam::ParkTicket ticket;
};

void fire(void* cookie, std::uint32_t, seam::Processor* here) {
  const seam::ParkTicket ticket = static_cast<Waiting*>(cookie)->ticket;  // gone once it is awake
  seam::registry.scheduler->wake(ticket, here);
}

bool publish(void* argument, seam::ParkTicket ticket) {
  auto& waiting = *static_cast<Waiting*>(argument);
  waiting.ticket = ticket;
  return waiting.poller.arm(waiting.id, waiting.direction, {&fire, &waiting}, waiting.known);
}

}  // namespace

void CloseSocket::operator()(Socket* socket) const noexcept { delete socket; }

Socket::Socket(int descriptor) : descriptor_(descriptor) {
  try {
    Poller& poller = running_poller();
    session_ = poller.session();
    id_ = poller.add(descriptor);
  } catch (...) {
    ::close(descriptor);
    throw;
  }
}

Socket::~Socket() { close(); }

Poller* Socket::poller() const {
  auto* const poller = static_cast<Poller*>(seam::registry.poller);
  return poller != nullptr && poller->session() == session_ ? poller : nullptr;
}

// Who comes after close() is not counted at all: on the way out it would be the last one once more, and the descriptor's number
// may be somebody else's by then.
bool Socket::enter() {
  std::uint32_t users = users_.load(std::memory_order_relaxed);
  while ((users & kClosed) == 0)
    // Acquire-release, as in leave(): the last one out comes after all that others did inside.
    if (users_.compare_exchange_weak(users, users + 1, std::memory_order_acq_rel, std::memory_order_relaxed))
      return true;
  return false;
}

void Socket::leave() noexcept {
  if (users_.fetch_sub(1, std::memory_order_acq_rel) == (kClosed | 1)) ::close(descriptor_);
}

void Socket::close() noexcept {
  if ((users_.fetch_or(kClosed, std::memory_order_acq_rel) & kClosed) != 0) return;
  if (Poller* const registered = poller()) registered->remove(id_, descriptor_, nullptr);
  leave();
}

std::int64_t Socket::perform(Direction direction, const char* reason, Attempt attempt, void* argument,
                             std::error_code& error, std::size_t wanted) {
  struct Inside {
    Socket& socket;
    ~Inside() { socket.leave(); }
  };
  seam::poll();  // a call need not wait, and who makes one after the other is to give way like who computes
  error.clear();
  if (!enter()) {
    error = std::make_error_code(std::errc::operation_canceled);
    return -1;
  }
  const Inside inside{*this};
  netpoll::Turn& turn = turns_[direction];
  turn.take(reason);
  struct Mine {
    netpoll::Turn& turn;
    ~Mine() { turn.pass_on(); }
  };
  const Mine mine{turn};
  bool drained = direction == netpoll::kRead && std::exchange(drained_, false);  // S4
  for (;; drained = false) {
    const std::uint64_t deadline = deadlines_[direction].load(std::memory_order_acquire);
    if (deadline != UINT64_MAX && base::now_ns() >= deadline)
      error = std::make_error_code(std::errc::timed_out);
    else if (closed())
      error = std::make_error_code(std::errc::operation_canceled);
    if (error) return -1;
    if (!drained) {
      const std::int64_t result = attempt(descriptor_, argument);
      if (result >= 0) {
        if (direction == netpoll::kRead)
          drained_ = short_read_drains_ && result > 0 && static_cast<std::uint64_t>(result) < wanted;
        return result;
      }
      if (result == -EINTR) continue;
      if (result != -EAGAIN && result != -EWOULDBLOCK) {
        error.assign(static_cast<int>(-result), std::generic_category());
        return -1;
      }
    }
    error = wait(direction, reason, drained ? netpoll::Known::kDrained : netpoll::Known::kTried);
    if (error) return -1;
  }
}

std::int64_t Socket::call(Attempt attempt, void* argument, std::error_code& error) {
  seam::poll();
  error.clear();
  if (!enter()) {
    error = std::make_error_code(std::errc::operation_canceled);
    return -1;
  }
  const std::int64_t result = attempt(descriptor_, argument);
  leave();
  if (result < 0) error.assign(static_cast<int>(-result), std::generic_category());
  return result;
}

// What ended the wait is looked at by the caller's next turn; an error only for a run that has ended meanwhile.
std::error_code Socket::wait(Direction direction, const char* reason, netpoll::Known known) {
  Poller* const registered = poller();
  if (registered == nullptr)
    return known == netpoll::Known::kDrained ? std::error_code() : std::make_error_code(std::errc::operation_canceled);
  Waiting waiting{*registered, id_, direction, known, {}};
  const seam::WakeReason reason_to_wake = seam::registry.scheduler->park_published(
      &publish, &waiting, deadlines_[direction].load(std::memory_order_acquire), reason);
  if (reason_to_wake == seam::WakeReason::kReady) return {};
  registered->disarm(id_, direction);
  if (reason_to_wake == seam::WakeReason::kCancelled) seam::registry.scheduler->check_cancelled();
  return {};
}

void Socket::set_deadline(Direction direction, std::uint64_t deadline_ns) {
  deadlines_[direction].store(deadline_ns, std::memory_order_release);
  if (Poller* const registered = poller()) registered->nudge(id_, direction);
}

}  // namespace tandem::detail
