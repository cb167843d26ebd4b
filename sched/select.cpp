// Select. First look without the lock of any channel: one ready case, chosen at random, is tried alone, which
// costs one lock however many cases there are. Only when none is ready, all channels are locked in the order
// of their addresses, so that what follows is one step for everybody else: look again, then take `otherwise`,
// or leave a waiter at every case and park.
//
// The waiters of one select share one ticket: whoever claims it takes the case. Waiters at the other cases
// are withdrawn by the goroutine when it runs again; until then, wakers that meet them fail to claim and pass
// on.

#include <algorithm>

#include "runtime/base/clock.h"
#include "sched/channel_operations.h"
#include "sched/processor_state.h"
#include "sched/waiting.h"
#include "tandem/detail/select_core.h"

namespace tandem::sched {

using detail::CaseKind;
using detail::SelectCase;
using detail::SelectResult;
using detail::SelectScratch;

namespace {

constexpr std::uint32_t kNone = UINT32_MAX;

class Selection {
 public:
  Selection(Goroutine& self, SelectCase* cases, std::uint32_t count, SelectScratch scratch)
      : self_(self), cases_(cases), count_(count), scratch_(scratch) {}

  SelectResult run() {
    if (collect_ready() != 0) {
      SelectResult taken;
      while (ready_count_ != 0)
        if (try_one_alone(taken)) return taken;
    }
    return run_with_all_locked();
  }

 private:
  /// Without locks this is a guess, which try_one_alone checks; with all of them it may err only by waiters
  /// that are claimed.
  std::uint32_t collect_ready() {
    ready_count_ = 0;
    for (std::uint32_t index = 0; index < count_; ++index)
      if (looks_ready(cases_[index])) scratch_.ready[ready_count_++] = index;
    return ready_count_;
  }

  static bool looks_ready(const SelectCase& entry) {
    const ChannelCore* channel = entry.channel;
    if (channel == nullptr) return false;
    if (entry.kind == CaseKind::kReceive)
      return channel->size() != 0 || channel->has(detail::kChannelClosed | detail::kSendersWait);
    return channel->size() < channel->capacity || channel->has(detail::kChannelClosed | detail::kReceiversWait);
  }

  /// Removes one of the ready cases at random and returns its index.
  std::uint32_t choose_ready() {
    const std::uint32_t chosen = ready_count_ == 1 ? 0 : processor_of(self_).sched->random.below(ready_count_);
    const std::uint32_t index = scratch_.ready[chosen];
    scratch_.ready[chosen] = scratch_.ready[--ready_count_];
    return index;
  }

  static Attempt attempt(SelectCase& entry) {
    return entry.kind == CaseKind::kReceive ? attempt_receive(*entry.channel, entry.slot, *entry.operations)
                                            : attempt_send(*entry.channel, entry.slot, *entry.operations);
  }

  bool try_one_alone(SelectResult& taken) {
    const std::uint32_t index = choose_ready();
    SelectCase& entry = cases_[index];
    entry.channel->lock.lock();
    const Attempt made = attempt(entry);
    entry.channel->lock.unlock();
    if (made.result == ChannelResult::kWouldBlock) return false;
    if (made.wake != nullptr) ready(*made.wake, processor_of(self_));
    taken = {index, made.result};
    return true;
  }

  SelectResult run_with_all_locked() {
    sort_channels();
    for (;;) {
      lock_all();
      collect_ready();
      while (ready_count_ != 0) {
        const std::uint32_t index = choose_ready();
        const Attempt made = attempt(cases_[index]);
        if (made.result == ChannelResult::kWouldBlock) continue;
        unlock_all();
        if (made.wake != nullptr) ready(*made.wake, processor_of(self_));
        return {index, made.result};
      }
      const std::uint32_t otherwise = find(CaseKind::kOtherwise);
      const std::uint32_t timeout = shortest_timeout();
      if (otherwise != kNone || (timeout != kNone && cases_[timeout].timeout_ns == 0)) {
        unlock_all();
        return {otherwise != kNone ? otherwise : timeout, ChannelResult::kDone};
      }
      SelectResult taken;
      if (wait(timeout, taken)) return taken;
    }
  }

  /// Parks, with all channels locked. False: woken for nothing, start over. Throws Cancelled.
  bool wait(std::uint32_t timeout, SelectResult& taken) {
    std::uint64_t ticket;
    if (!open_cancellable_ticket(self_, ticket)) {
      unlock_all();
      throw_cancelled();
    }
    enqueue(ticket);
    if (timeout != kNone) {
      if (deadline_ns_ == 0) deadline_ns_ = base::now_ns() + cases_[timeout].timeout_ns;
      timer_.set(self_, ticket, deadline_ns_);
    }
    timed_ = timeout != kNone;
    parked_.lock();  // released by commit, at its very end
    const WakeReason reason =
        park(self_, "select", channel_count_ != 0 ? scratch_.channels[0] : nullptr, &Selection::commit, this);
    // When the lock is ours, commit has done with this object, whoever woke us.
    parked_.lock();
    parked_.unlock();
    if (timed_) timer_.cancel();
    const auto* winner = static_cast<Waiter*>(self_.wake_value);
    withdraw(reason == WakeReason::kReady ? winner : nullptr);
    if (reason == WakeReason::kReady) {
      taken = {winner->tag, winner->success ? ChannelResult::kDone : ChannelResult::kClosed};
      return true;
    }
    if (reason == WakeReason::kTimeout) {
      taken = {timeout, ChannelResult::kDone};
      return true;
    }
    check_cancelled(self_);
    return false;
  }

  static bool commit(Goroutine& parked, void* argument) {
    auto& selection = *static_cast<Selection*>(argument);
    if (selection.timed_) selection.timer_.start(processor_of(parked));
    selection.unlock_all();
    selection.parked_.unlock();
    return true;
  }

  /// Cases that wait at the same channel become ready together, and the first in its queue is taken: so chance
  /// decides which that is.
  void enqueue(std::uint64_t ticket) {
    if (!repeated_channel_) {
      for (std::uint32_t index = 0; index < count_; ++index) enqueue_case(index, ticket);
      return;
    }
    for (ready_count_ = 0; ready_count_ < count_; ++ready_count_) scratch_.ready[ready_count_] = ready_count_;
    while (ready_count_ != 0) enqueue_case(choose_ready(), ticket);
  }
  void enqueue_case(std::uint32_t index, std::uint64_t ticket) {
    SelectCase& entry = cases_[index];
    if (entry.channel == nullptr) return;
    entry.waiter.goroutine = &self_;
    entry.waiter.ticket = ticket;
    entry.waiter.slot = entry.slot;
    entry.waiter.tag = index;
    queue_of(entry).push_back(entry.waiter);
    update_attention(*entry.channel);
  }

  /// Takes the waiters of all cases but the winner's out of their queues. Each lock is taken alone.
  void withdraw(const Waiter* winner) {
    for (std::uint32_t index = 0; index < count_; ++index) {
      SelectCase& entry = cases_[index];
      if (entry.channel == nullptr || &entry.waiter == winner) continue;
      entry.channel->lock.lock();
      if (entry.waiter.queued) {
        queue_of(entry).remove(entry.waiter);
        update_attention(*entry.channel);
      }
      entry.channel->lock.unlock();
    }
  }

  static WaitQueue& queue_of(SelectCase& entry) {
    return entry.kind == CaseKind::kReceive ? entry.channel->receivers : entry.channel->senders;
  }

  void sort_channels() {
    channel_count_ = 0;
    for (std::uint32_t index = 0; index < count_; ++index)
      if (cases_[index].channel != nullptr) scratch_.channels[channel_count_++] = cases_[index].channel;
    std::sort(scratch_.channels, scratch_.channels + channel_count_);
    const auto* const end = std::unique(scratch_.channels, scratch_.channels + channel_count_);
    const auto distinct = static_cast<std::uint32_t>(end - scratch_.channels);
    repeated_channel_ = distinct != channel_count_;
    channel_count_ = distinct;
  }
  void lock_all() {
    for (std::uint32_t i = 0; i < channel_count_; ++i) scratch_.channels[i]->lock.lock();
  }
  void unlock_all() {
    for (std::uint32_t i = 0; i < channel_count_; ++i) scratch_.channels[i]->lock.unlock();
  }

  std::uint32_t find(CaseKind kind) const {
    for (std::uint32_t index = 0; index < count_; ++index)
      if (cases_[index].kind == kind) return index;
    return kNone;
  }
  std::uint32_t shortest_timeout() const {
    std::uint32_t shortest = kNone;
    for (std::uint32_t index = 0; index < count_; ++index)
      if (cases_[index].kind == CaseKind::kTimeout &&
          (shortest == kNone || cases_[index].timeout_ns < cases_[shortest].timeout_ns))
        shortest = index;
    return shortest;
  }

  Goroutine& self_;
  SelectCase* const cases_;
  const std::uint32_t count_;
  const SelectScratch scratch_;
  std::uint32_t ready_count_ = 0;
  std::uint32_t channel_count_ = 0;
  std::uint64_t deadline_ns_ = 0;
  bool repeated_channel_ = false;
  bool timed_ = false;
  WaitTimer timer_;
  detail::SpinLock parked_;
};

}  // namespace
}  // namespace tandem::sched

namespace tandem::detail {

SelectResult select_core(SelectCase* cases, std::uint32_t count, SelectScratch scratch) {
  poll_in_call();
  return sched::Selection(sched::running_goroutine("select"), cases, count, scratch).run();
}

}  // namespace tandem::detail
