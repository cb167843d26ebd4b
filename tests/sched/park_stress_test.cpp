// Parking, waking, stealing and cancellation against one another, with seeds.
#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "runtime/base/random.h"
#include "runtime/seam/scan_claim.h"
#include "sched/park.h"
#include "tests/support/scale.h"
#include "tests/support/scheduler_fixture.h"

namespace tandem::test {
namespace {

using sched::Goroutine;
using namespace std::chrono_literals;

/// A counting semaphore of the simplest kind: a lock, a count, a list of waiters.
class Gate {
 public:
  void acquire() {
    Goroutine& self = sched::running_goroutine("acquire");
    for (;;) {
      lock_.lock();
      if (count_ > 0) {
        --count_;
        lock_.unlock();
        return;
      }
      Waiter waiter{&self, sched::open_ticket(self)};
      waiter.next = first_;
      waiter.link = &first_;
      if (first_ != nullptr) first_->link = &waiter.next;
      first_ = &waiter;
      const sched::WakeReason woken = sched::park_and_unlock(self, "gate", this, lock_);
      if (woken != sched::WakeReason::kCancelled) return;  // the count was handed over
      withdraw(waiter);
      sched::check_cancelled(self);
    }
  }
  void release() {
    Goroutine& self = sched::running_goroutine("release");
    lock_.lock();
    while (first_ != nullptr) {
      Waiter& waiter = *first_;
      unlink(waiter);
      Goroutine& goroutine = *waiter.goroutine;
      if (!sched::claim(goroutine, waiter.ticket)) continue;
      lock_.unlock();
      sched::ready(goroutine, sched::processor_of(self));
      return;
    }
    ++count_;
    lock_.unlock();
  }
  int count() const { return count_; }

 private:
  struct Waiter {
    Goroutine* goroutine;
    std::uint64_t ticket;
    Waiter* next = nullptr;
    Waiter** link = nullptr;  // what points to it; null: not queued
  };
  static void unlink(Waiter& waiter) {
    *waiter.link = waiter.next;
    if (waiter.next != nullptr) waiter.next->link = waiter.link;
    waiter.link = nullptr;
  }
  void withdraw(Waiter& waiter) {
    const std::lock_guard guard(lock_);
    if (waiter.link != nullptr) unlink(waiter);
  }
  base::SpinLock lock_;
  int count_ = 0;
  Waiter* first_ = nullptr;
};

class ParkStress : public OnProcessors {};
INSTANTIATE_TEST_SUITE_P(Processors, ParkStress, test::processor_counts());

TEST_P(ParkStress, PingPongLosesNoWakeUp) {
  const int rounds = scaled(20'000);
  run([&] {
    Gate ping, pong;
    std::atomic<int> ended{0};
    go([&] {
      for (int i = 0; i < rounds; ++i) {
        ping.acquire();
        pong.release();
      }
      ++ended;
    });
    for (int i = 0; i < rounds; ++i) {
      ping.release();
      pong.acquire();
    }
    wait_until([&] { return ended == 1; });
  });
}

TEST_P(ParkStress, ManyPairsWithYieldsAndSleeps) {
  const int pairs = 32;
  const int rounds = scaled(1'000);
  for (std::uint64_t seed = 1; seed <= 3; ++seed)
    run([&] {
      std::vector<Gate> gates(2 * pairs);
      std::atomic<int> ended{0};
      auto body = [&](int index, Gate& mine, Gate& other) {
        base::Random random(seed * 1000 + static_cast<std::uint64_t>(index));
        for (int i = 0; i < rounds; ++i) {
          if (index % 2 == 0) other.release();
          mine.acquire();
          if (index % 2 == 1) other.release();
          if (random.below(16) == 0) yield();
          if (random.below(200) == 0) sleep_for(std::chrono::microseconds(random.below(50)));
        }
        ++ended;
      };
      for (int i = 0; i < pairs; ++i) {
        go(body, 2 * i, std::ref(gates[2 * i]), std::ref(gates[2 * i + 1]));
        go(body, 2 * i + 1, std::ref(gates[2 * i + 1]), std::ref(gates[2 * i]));
      }
      while (ended != 2 * pairs) sleep_for(100us);
    });
}

TEST_P(ParkStress, ManyParkedGoroutinesAreWokenAndCancelled) {
  const int count = scaled(100'000);
  std::atomic<int> woken{0}, cancelled{0}, started{0};
  Gate gate;  // outlives main: those left are cancelled after it has returned
  run([&] {
    for (int i = 0; i < count; ++i)
      go([&] {
        ++started;
        try {
          gate.acquire();
          ++woken;
        } catch (const Cancelled&) {
          ++cancelled;
          throw;
        }
      });
    while (started != count) sleep_for(1ms);
    for (int i = 0; i < count / 2; ++i) gate.release();
    while (woken < count / 2) sleep_for(1ms);
  });
  EXPECT_EQ(woken.load(), count / 2);
  EXPECT_EQ(cancelled.load(), count - count / 2);
}

// Cancellation competes with the ordinary wake-up; exactly one of them gets through each time.
TEST_P(ParkStress, CancellationCompetesWithWakeUps) {
  const int rounds = scaled(2'000);
  run([&] {
    for (int i = 0; i < rounds; ++i) {
      Gate gate;
      std::atomic<Goroutine*> victim{nullptr};
      std::atomic<int> acquired{0}, cancelled{0};
      go([&] {
        victim = seam::current_goroutine();
        try {
          gate.acquire();
          ++acquired;
        } catch (const Cancelled&) {
          ++cancelled;
        }
      });
      wait_until([&] { return victim.load() != nullptr; });
      go([&] { gate.release(); });
      sched::cancel(*victim.load(), sched::processor_of(*seam::current_goroutine()));
      wait_until([] { return goroutine_count() == 1; });
      EXPECT_EQ(acquired + cancelled, 1);
      EXPECT_EQ(gate.count(), cancelled.load());
    }
  });
}

// What the scheduler promises to the collector: claims of parked and runnable stacks at any moment, wake-ups leaving notes.
// The pairs go on until stacks have been claimed beside them: when the walker gets to run is up to the machine.
TEST_P(ParkStress, StacksAreClaimedWhileGoroutinesRun) {
  const int rounds = scaled(3'000);
  constexpr int kClaimsAtLeast = 100;
  FakeCollector collector;
  run_scheduler(options(), collector, nullptr, [&] {
    static constexpr seam::HandshakeOperation kAllowClaims{
        "allow claims", [](seam::Processor& processor) { processor.scan_mode = seam::ScanMode::kClaims; },
        [](seam::Processor&) {}};
    static constexpr seam::HandshakeOperation kScan{"scan before resume",
                                                    [](seam::Processor& processor) {
                                                      processor.scan_mode = seam::ScanMode::kScanBeforeResume;
                                                      if (processor.running != nullptr)
                                                        seam::registry.collector->scan(*processor.running, processor);
                                                    },
                                                    [](seam::Processor&) {}};
    auto handshake = [](const seam::HandshakeOperation& operation) {
      seam::Processor& here = sched::processor_of(*seam::current_goroutine());
      seam::registry.handshake.request(operation, here);
      const std::uint64_t number = seam::registry.handshake.number();
      wait_until([&] {
        for (seam::Processor& processor : seam::registry.all_processors())
          if (processor.acknowledged.load() < number) return false;
        return true;
      });
    };
    handshake(kAllowClaims);
    seam::collector_clock.root_round = 1;
    handshake(kScan);

    std::atomic<bool> stop{false};
    std::atomic<int> claims{0}, ended{0};
    go([&] {  // the collector's walk, again and again
      seam::GoroutineTable& table = seam::registry.goroutines;
      while (!stop) {
        for (std::size_t i = 0; i < table.used(); ++i) {
          Goroutine& goroutine = table.at(i);
          if (!seam::claim_for_scan(goroutine)) continue;
          ++claims;
          goroutine.scanned_round.store(seam::collector_clock.root_round.load());
          for (int k = 0; k < 20; ++k) base::cpu_relax();
          if (seam::release_scan_claim(goroutine))
            seam::registry.scheduler->enqueue(goroutine, sched::processor_of(*seam::current_goroutine()));
        }
        seam::collector_clock.root_round.fetch_add(1);
        yield();
      }
    });
    for (int pair = 0; pair < 8; ++pair)
      go([&] {
        Gate ping, pong;
        std::atomic<bool> last{false}, over{false};
        go([&] {
          for (bool ending = false; !ending;) {
            ping.acquire();
            ending = last;
            pong.release();
          }
          over = true;
        });
        for (int i = 1; !last; ++i) {
          last = i >= rounds && claims >= kClaimsAtLeast;
          ping.release();
          pong.acquire();
          if (i % 100 == 0) blocking([] {});
        }
        wait_until([&] { return over.load(); });
        ++ended;
      });
    while (ended != 8) sleep_for(1ms);
    stop = true;
    EXPECT_GE(claims.load(), kClaimsAtLeast);
    EXPECT_GT(collector.scans.load(), 0u);
    wait_until([] { return goroutine_count() == 1; });
    static constexpr seam::HandshakeOperation kOff{
        "off", [](seam::Processor& processor) { processor.scan_mode = seam::ScanMode::kNone; },
        [](seam::Processor&) {}};
    handshake(kOff);
    seam::collector_clock.root_round = 0;
  });
}

}  // namespace
}  // namespace tandem::test
