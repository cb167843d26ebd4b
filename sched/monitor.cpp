// What the monitor does in each round, and how long it sleeps then:
//
//   blocked workers      their processor is taken away after 20 us if there is something else for it to do
//   long slices          a goroutine that ran for Options::slice is asked to yield at its next poll; for 1 ms, where one
//                        that has been woken by a timer or the network waits behind it
//   late timers          likewise, if its processor's timers are due and nobody sleeps until then
//   next slots           a goroutine that waits there while processors idle: a worker is woken, which steals it
//   network              where all processors are busy, nobody has polled lately and there are events, the goroutine that has run
//                        for longest is asked to yield, so that its processor polls; polled if nobody did for 10 ms
//   collector            its share of each running processor: a quantum about every millisecond, not all at once
//   no safepoint         reported, with a backtrace
//
// In a simulation (simulation.h) only the first and the last of these, and the network.
// It sleeps 20 us while workers are blocked (backing off), 1 ms while processors idle, are too busy to look at the network, or the
// collector has work, half a slice otherwise, and without limit when nothing has happened for a while.

#include "sched/monitor.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>

#include "runtime/base/clock.h"
#include "runtime/base/os_thread.h"
#include "runtime/seam/phase.h"
#include "runtime/seam/registry.h"
#include "runtime/seam/requests.h"
#include "runtime/seam/safepoint.h"
#include "sched/ask_in_turn.h"
#include "sched/dump.h"
#include "sched/shared.h"
#include "tandem/runtime.h"

namespace tandem::sched {

namespace {

constexpr std::uint64_t kBlockedNs = 20'000;  // how long a processor may stay with a blocked worker
constexpr std::uint64_t kTimerGraceNs =
    100'000;  // how late timers may be before a goroutine is asked to yield for them
constexpr std::uint64_t kQuietNs = 1'000'000;
using seam::kQuantumIntervalNs;
constexpr std::uint64_t kNetworkNs = 10'000'000;
constexpr std::uint64_t kLatelyNs = 200'000;  // workers that switch often look at the network twice as often
constexpr std::uint32_t kBlockedRoundsBeforeBackOff = 50;
constexpr std::uint32_t kIdleRoundsBeforeDeepSleep = 20;

class Monitor {
 public:
  Monitor() {
    thread_.start("tandem-monitor", [this] { run(); });
  }
  ~Monitor() { halt(); }

  void halt() {
    if (!thread_.joinable()) return;
    stop_.store(true, std::memory_order_seq_cst);
    parker.unpark();
    thread_.join();
  }

  base::Parker parker;
  std::atomic<bool> deep_asleep{false};
  std::atomic<bool> dozing{false};  // sleeps for longer than a blocked worker should wait
  std::atomic<bool> dump_wanted{false};
  /// 0 while it is awake. Else the time up to which it sleeps; UINT64_MAX also while it finds that out.
  std::atomic<std::uint64_t> sleeps_until_ns{0};

 private:
  void run();
  void sleep(std::uint64_t now);
  bool all_idle() const;
  bool retake_blocked();
  void look_at(Processor& processor, std::uint64_t now);
  void watch_slice(Processor& processor, std::uint64_t now);
  void watch_safepoint(Processor& processor, std::uint64_t now);
  void hand_out_quanta(std::uint64_t now);
  void poll_network(std::uint64_t now);
  void ask_longest_to_yield();
  bool busy_beside_network(std::uint64_t now) const;
  std::uint64_t latest_wake_up(std::uint64_t now) const;

  std::atomic<bool> stop_{false};
  std::uint64_t slice_ns_ = 0;
  std::uint64_t report_ns_ = 0;
  std::uint64_t last_quantum_ns_ = 0;
  std::uint32_t turn_ = 0;            // whose turn it is to be given a quantum: idle processors first
  std::uint32_t blocked_rounds_ = 0;  // with a blocked worker whose processor nobody needs
  std::uint32_t idle_rounds_ = 0;
  bool some_blocked_ = false;
  base::Thread thread_;
};

std::unique_ptr<Monitor> monitor;

bool somebody_woken_waits(const Processor& processor) { return processor.sched->woken.waits(processor.sched->queue); }

std::uint32_t idle_processors() { return shared->idle.idle_processors.load(std::memory_order_relaxed); }

bool Monitor::all_idle() const {
  return shared->idle.idle_processors.load(std::memory_order_seq_cst) == seam::registry.processor_count;
}

bool Monitor::retake_blocked() {
  some_blocked_ = false;
  bool retaken = false;
  for (Processor& processor : seam::registry.all_processors()) {
    const seam::ProcessorStatus status = processor.status.load(std::memory_order_acquire);
    if (!seam::is_blocked(status)) continue;
    some_blocked_ = true;
    const std::uint64_t call = processor.sched->blocking_calls.read();
    const bool seen_before = std::exchange(processor.sched->observed.blocking_call, call) == call;
    if (seen_before && is_needed(processor) && retake_processor(processor, status)) retaken = true;
  }
  return retaken;
}

void Monitor::watch_slice(Processor& processor, std::uint64_t now) {
  auto& observed = processor.sched->observed;
  const std::uint64_t slices = processor.sched->slices.read();
  if (slices != observed.slices) {
    observed.slices = slices;
    observed.slice_since_ns = now;
  } else if (now - observed.slice_since_ns >= (somebody_woken_waits(processor) ? kQuietNs / 2 : slice_ns_)) {
    seam::post_request(processor, seam::kRequestPreempt);
    observed.slice_since_ns = now;
  }
}

void Monitor::watch_safepoint(Processor& processor, std::uint64_t now) {
  auto& observed = processor.sched->observed;
  const std::uint64_t switches = processor.sched->switches.read();
  const bool stuck = processor.requests.load(std::memory_order_relaxed) != 0 &&
                     switches == observed.unserved_switches && observed.unserved_since_ns != 0;
  if (!stuck) {
    observed.unserved_switches = switches;
    observed.unserved_since_ns = processor.requests.load(std::memory_order_relaxed) != 0 ? now : 0;
    observed.reported = false;
  } else if (report_ns_ != 0 && !observed.reported && now - observed.unserved_since_ns >= report_ns_) {
    observed.reported = true;
    report_no_safepoint(processor, now - observed.unserved_since_ns);
  }
}

void Monitor::look_at(Processor& processor, std::uint64_t now) {
  watch_safepoint(processor, now);
  if (shared->simulated) return;  // its turns do not depend on time
  ProcessorState& state = *processor.sched;
  const bool same_goroutine = state.switches.read() == state.observed.switches;
  state.observed.switches = state.switches.read();
  if (state.queue.has_next() && same_goroutine) {
    state.stuck_at_switches.store(state.observed.switches, std::memory_order_relaxed);
    if (idle_processors() > 0) wake_workers(1);
  }
  if (state.timers.next_ns_relaxed() + kTimerGraceNs <= now && state.timers.next_ns_relaxed() != TimerWheel::kNever &&
      shared->idle.watcher.load(std::memory_order_relaxed) == nullptr) {
    if (idle_processors() > 0)
      wake_workers(1);
    else
      seam::post_request(processor, seam::kRequestPreempt);
  }
  watch_slice(processor, now);
}

void Monitor::hand_out_quanta(std::uint64_t now) {
  if (now - last_quantum_ns_ < kQuantumIntervalNs / seam::registry.processor_count) return;
  last_quantum_ns_ = now;
  if (!shared->mark_idle && turn_++ % seam::registry.processor_count < idle_processors()) {
    shared->idle_quanta.store(1, std::memory_order_relaxed);
    return wake_workers(1);
  }
  // A step of the cycle wakes as many idle workers as it has work for, but one of them may have found a goroutine to run.
  if (shared->mark_idle && idle_processors() > 0) wake_workers(1);
  ask_in_turn(seam::kRequestCollectorQuantum);
}

void Monitor::poll_network(std::uint64_t now) {
  if (!may_poll_network() || shared->idle.watcher.load(std::memory_order_relaxed) != nullptr) return;
  const std::uint64_t last_poll_ns = shared->last_poll_ns.load(std::memory_order_relaxed);
  if (idle_processors() > 0 && now >= last_poll_ns + kQuietNs) return wake_workers(1);  // to watch (I6)
  if (idle_processors() == 0 && now >= last_poll_ns + kLatelyNs && !shared->simulated &&
      seam::registry.poller->has_events())
    return ask_longest_to_yield();
  if (now < last_poll_ns + kNetworkNs) return;
  shared->last_poll_ns.store(now, std::memory_order_relaxed);
  seam::registry.poller->poll(0, nullptr);
}

// Its worker then polls, and has what it finds in its own queue. One that does not come to a safepoint is asked once.
void Monitor::ask_longest_to_yield() {
  Processor* longest = nullptr;
  for (Processor& processor : seam::registry.all_processors()) {
    if (processor.status.load(std::memory_order_relaxed) != seam::ProcessorStatus::kRunning) continue;
    if (processor.requests.load(std::memory_order_relaxed) & seam::kRequestPreempt) continue;
    if (longest == nullptr || processor.sched->observed.slice_since_ns < longest->sched->observed.slice_since_ns)
      longest = &processor;
  }
  if (longest != nullptr) seam::post_request(*longest, seam::kRequestPreempt);
}

/// Nobody has looked at the network lately, although somebody waits for it, or has been woken and waits for a turn.
bool Monitor::busy_beside_network(std::uint64_t now) const {
  if (idle_processors() > 0 || now < shared->last_poll_ns.load(std::memory_order_relaxed) + kLatelyNs) return false;
  if (may_poll_network()) return true;
  for (const Processor& processor : seam::registry.all_processors())
    if (somebody_woken_waits(processor)) return true;
  return false;
}

/// When the next thing is due that nobody else would notice.
std::uint64_t Monitor::latest_wake_up(std::uint64_t now) const {
  std::uint64_t until = now + slice_ns_ / 2;
  if (idle_processors() > 0 || busy_beside_network(now)) until = std::min(until, now + kQuietNs);
  if (seam::registry.collector->has_work())
    until = std::min(until, now + std::max<std::uint64_t>(kQuantumIntervalNs / seam::registry.processor_count, 50'000));
  if (some_blocked_)
    until = std::min(until, now + (blocked_rounds_ < kBlockedRoundsBeforeBackOff ? kBlockedNs : kQuietNs));
  if (shared->idle.watcher.load(std::memory_order_relaxed) == nullptr && !shared->simulated)
    for (Processor& processor : seam::registry.all_processors()) {
      const std::uint64_t next = processor.sched->timers.next_ns_relaxed();
      if (next != TimerWheel::kNever) until = std::min(until, std::max(next, now) + kTimerGraceNs);
    }
  return until;
}

void Monitor::sleep(std::uint64_t now) {
  const bool hands_out = !shared->mark_idle && seam::registry.collector->has_work();
  if (all_idle() && !some_blocked_ && !hands_out) {
    if (++idle_rounds_ > kIdleRoundsBeforeDeepSleep) {
      // Sequentially consistent: we announce, then look; who drives a processor takes it off the idle count, then looks.
      deep_asleep.store(true, std::memory_order_seq_cst);
      if (all_idle() && !stop_.load(std::memory_order_seq_cst)) parker.park();
      deep_asleep.store(false, std::memory_order_relaxed);
      idle_rounds_ = 0;
      return;
    }
  } else {
    idle_rounds_ = 0;
  }
  sleeps_until_ns.store(UINT64_MAX, std::memory_order_seq_cst);
  const std::uint64_t until = latest_wake_up(now);
  sleeps_until_ns.store(until, std::memory_order_seq_cst);
  dozing.store(until - now > 4 * kBlockedNs, std::memory_order_seq_cst);
  parker.park_for(until - now);
  sleeps_until_ns.store(0, std::memory_order_relaxed);
  dozing.store(false, std::memory_order_relaxed);
}

void Monitor::run() {
  base::prefer_to_run_at_once();
  const Options& options = *seam::registry.options;
  slice_ns_ = static_cast<std::uint64_t>(std::chrono::nanoseconds(options.slice).count());
  report_ns_ = static_cast<std::uint64_t>(std::chrono::nanoseconds(options.safepoint_report).count());
  while (!stop_.load(std::memory_order_seq_cst)) {
    const std::uint64_t now = base::real_now_ns();
    if (!shared->simulated) seam::coarse_now_ns.store(now, std::memory_order_relaxed);
    if (dump_wanted.exchange(false)) dump_all(stderr);
    blocked_rounds_ = retake_blocked() || !some_blocked_ ? 0 : blocked_rounds_ + 1;
    for (Processor& processor : seam::registry.all_processors()) {
      const seam::ProcessorStatus status = processor.status.load(std::memory_order_relaxed);
      // One that is always in some short blocking(f) as well: it is hardly ever seen outside.
      if (status == seam::ProcessorStatus::kRunning || seam::is_blocked(status)) look_at(processor, now);
    }
    if (seam::registry.collector->has_work() && !shared->simulated) hand_out_quanta(now);
    poll_network(now);
    sleep(now);
  }
}

}  // namespace

bool is_needed(const Processor& processor) {
  const ProcessorState& state = *processor.sched;
  if (state.has_queued() || state.queue.has_next()) return true;
  if (idle_processors() == 0 && !shared->injection.empty()) return true;
  if (shared->idle.watcher.load(std::memory_order_relaxed) != nullptr) return false;
  seam::PollerPort* const poller = seam::registry.poller;
  return state.timers.next_ns_relaxed() != TimerWheel::kNever || (poller != nullptr && poller->waiters() > 0);
}

void start_monitor() { monitor = std::make_unique<Monitor>(); }
void halt_monitor() { monitor->halt(); }
void stop_monitor() { monitor.reset(); }

void wake_monitor_if_deep_asleep() {
  // The processor has been taken off the idle count (sequentially consistent) before: see Monitor::sleep.
  if (monitor->deep_asleep.load(std::memory_order_seq_cst)) [[unlikely]]
    monitor->parker.unpark();
}

void wake_monitor_before(std::uint64_t when_ns) {
  // Sequentially consistent: after the store of the heap's next_ns.
  if (when_ns + kTimerGraceNs < monitor->sleeps_until_ns.load(std::memory_order_seq_cst)) monitor->parker.unpark();
}

void hurry_monitor() {
  if (monitor->dozing.load(std::memory_order_relaxed) && monitor->dozing.exchange(false, std::memory_order_relaxed))
    monitor->parker.unpark();
}

void request_dump() noexcept {
  if (monitor == nullptr) return;
  monitor->dump_wanted.store(true);
  monitor->parker.unpark();
}

}  // namespace tandem::sched
