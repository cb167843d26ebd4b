// The network, the run queue and the collector beside one another: none keeps another from getting on.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/seam/phase.h"
#include "tandem/tandem.h"
#include "tests/support/run_fixture.h"
#include "tests/support/scale.h"

namespace tandem::net {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

class NetFairnessTest : public test::OnProcessors {};
TANDEM_ON_PROCESSORS(NetFairnessTest);

/// The number of the cycle that marks just now; 0: none does.
std::uint64_t marking_cycle() {
  const std::uint64_t cycle = seam::collector_clock.cycle.load(std::memory_order_acquire);
  return seam::current_phase() == seam::Phase::kMark ? cycle : 0;
}

/// Two goroutines that send one byte to and fro until told to stop, or so often.
class PingPong {
 public:
  PingPong() {
    TcpListener listener = TcpListener::bind("127.0.0.1:0");
    client_ = TcpStream::connect(listener.local_endpoint().to_string(), 5s);
    server_ = listener.accept();
  }
  void start(std::uint64_t times = UINT64_MAX) {
    group_.go([this] {
      std::byte byte{};
      while (server_->read(std::span(&byte, 1)) == 1) server_->write(std::span(&byte, 1));
    });
    group_.go([this, times] {
      std::byte byte{};
      while (!stop_.load(std::memory_order_relaxed) && round_trips_ < times) {
        const std::uint64_t marking = marking_cycle();
        client_->write(std::span(&byte, 1));
        ASSERT_EQ(client_->read(std::span(&byte, 1)), 1u);
        ++round_trips_;
        if (marking != 0 && marking == marking_cycle()) ++round_trips_during_mark_;
      }
      client_->shutdown_write();
    });
  }
  void stop() { stop_ = true; }
  void wait() { group_.wait(); }
  std::uint64_t round_trips() const { return round_trips_; }
  /// Those that began and ended while one and the same cycle marked.
  std::uint64_t round_trips_during_mark() const { return round_trips_during_mark_; }

 private:
  std::optional<TcpStream> client_, server_;
  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> round_trips_{0}, round_trips_during_mark_{0};
  WaitGroup group_;
};

// If who waits for the network had to wait for the end of slices as well, each round trip would take some seconds.
TEST_P(NetFairnessTest, ComputingGoroutinesDoNotStarveTheNetwork) {
  Options options;
  options.slice = 1000ms;
  const auto body = [processors = GetParam()] {
    PingPong ping_pong;
    ping_pong.start();
    while (ping_pong.round_trips() == 0) yield();
    const auto begin = steady_clock::now();
    WaitGroup computing;
    for (std::uint32_t i = 0; i < 2 * processors; ++i)
      computing.go([&] {
        for (const std::uint64_t until = ping_pong.round_trips() + 50; ping_pong.round_trips() < until;) safepoint();
      });
    computing.wait();
    EXPECT_LT(steady_clock::now() - begin, 25s);
    ping_pong.stop();
    ping_pong.wait();
  };
  run_clean(body, options);
}

// The other way round: goroutines of the network that always have something to do leave turns to the others.
TEST_P(NetFairnessTest, TheNetworkDoesNotStarveTheRunQueue) {
  run_clean([] {
    PingPong pairs[4];
    for (PingPong& pair : pairs) pair.start();
    const auto turns = test::scaled<std::uint64_t>(2000);
    for (std::uint64_t i = 0; i < turns; ++i) yield();
    std::uint64_t round_trips = 0;
    for (PingPong& pair : pairs) {
      round_trips += pair.round_trips();
      pair.stop();
    }
    for (PingPong& pair : pairs) pair.wait();
    EXPECT_LE(round_trips, turns * 100);
  });
}

/// Connections that are served time and again, each a byte at a time: whoever is served sends one to who was served before it,
/// which by then waits for it. So nearly all of them are ready all the time.
class ReadyConnections {
 public:
  explicit ReadyConnections(std::size_t count) : turns_(count) {
    TcpListener listener = TcpListener::bind("127.0.0.1:0");
    const std::string address = listener.local_endpoint().to_string();
    for (std::size_t i = 0; i < count; ++i) {
      clients_.push_back(TcpStream::connect(address, 5s));
      servers_.push_back(listener.accept());
    }
  }
  /// Returns when each has had `mean` turns in the mean.
  void serve(std::uint64_t mean) {
    turns_left_ = static_cast<std::int64_t>(mean * servers_.size());
    WaitGroup group;
    for (std::size_t i = 0; i < servers_.size(); ++i) group.go([this, i] { serve_one(i); });
    while (started_ < servers_.size()) yield();
    for (std::size_t i = 0; i < servers_.size(); ++i) send(i);
    group.wait();
  }
  std::uint64_t fewest_turns() const { return *std::ranges::min_element(turns_); }
  std::uint64_t most_turns() const { return *std::ranges::max_element(turns_); }

 private:
  void send(std::size_t to) {
    const std::byte byte{};
    clients_[to].write(std::span(&byte, 1));
  }
  void serve_one(std::size_t self) {
    ++started_;
    for (;;) {
      std::byte byte;
      servers_[self].read(std::span(&byte, 1));
      if (turns_left_.fetch_sub(1) <= 0) break;
      ++turns_[self];
      const std::size_t before = served_last_.exchange(self);
      if (before != kNobody) send(before);
    }
    // The end: everybody who has nothing to read is told.
    if (!told_.exchange(true))
      for (std::size_t other = 0; other < servers_.size(); ++other) send(other);
  }

  static constexpr std::size_t kNobody = SIZE_MAX;
  std::vector<TcpStream> clients_, servers_;
  std::vector<std::uint64_t> turns_;
  std::atomic<std::size_t> started_{0};
  std::atomic<std::int64_t> turns_left_{0};
  std::atomic<std::size_t> served_last_{kNobody};
  std::atomic<bool> told_{false};
};

// More connections than a processor's ring has room for. If the poller were asked again before those that it has woken have
// run, those that come back at once would overtake the rest, of which some would get no turn at all.
TEST(NetFairness, ManyReadyConnectionsAreServedInTurn) {
  Options options;
  options.processors = 1;  // with several the kernel's scheduler has its say as well
  tandem::run(options, [] {
    ReadyConnections connections(400);
    constexpr std::uint64_t kMean = 40;
    connections.serve(kMean);
    EXPECT_GE(connections.fewest_turns(), kMean * 3 / 4);
    EXPECT_LE(connections.most_turns(), kMean * 5 / 4);
  });
}

TEST_P(NetFairnessTest, MarkingStarvesNeither) {
  struct Node {
    Member<Node> left, right;
  };
  run_clean([] {
    Local<Node> live;
    for (int i = 0; i < 500'000; ++i) live = make<Node>(live, nullptr);
    PingPong ping_pong;
    ping_pong.start();
    std::atomic<bool> stop{false};
    std::atomic<std::uint64_t> yields_during_mark{0};
    WaitGroup yielding;
    yielding.go([&] {
      while (!stop) {
        const std::uint64_t marking = marking_cycle();
        yield();
        if (marking != 0 && marking == marking_cycle()) ++yields_during_mark;
      }
    });
    // A cycle takes ten milliseconds, for which the kernel may well not run the thread that drives the sockets: not every
    // cycle need see them get on, but none would if marking starved them.
    constexpr int kCyclesMax = 1000, kCyclesWanted = 10;
    int with_both = 0;
    for (int cycle = 0; cycle < kCyclesMax && with_both < kCyclesWanted; ++cycle) {
      const std::uint64_t trips = ping_pong.round_trips_during_mark(), yields = yields_during_mark;
      collect();
      if (ping_pong.round_trips_during_mark() > trips && yields_during_mark > yields) ++with_both;
    }
    EXPECT_EQ(with_both, kCyclesWanted);
    stop = true;
    yielding.wait();
    ping_pong.stop();
    ping_pong.wait();
  });
}

}  // namespace
}  // namespace tandem::net
