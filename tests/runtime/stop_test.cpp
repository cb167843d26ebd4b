// Seen from outside: with stop = ragged every goroutine gets on while a cycle is at work; with stop_the_world none does.
#include <atomic>
#include <vector>

#include "runtime/seam/phase.h"
#include "tests/runtime/heap_test.h"

namespace {

using tandem::Local;
using tandem::make;
using tandem::make_array;
using tandem::Member;
using tandem_test::Canary;

/// As many goroutines as processors that do nothing but poll, and count how often they see a cycle at its work: past
/// handshake 1, at whose safepoint stop_the_world holds everybody, and before its end.
class Observers {
 public:
  explicit Observers(std::uint32_t count) : sightings_(count) {
    for (std::atomic<std::uint64_t>& mine : sightings_)
      group_.go([this, &mine] {
        while (!stop_) {
          tandem::safepoint();
          const tandem::seam::Phase phase = tandem::seam::current_phase();
          if (phase >= tandem::seam::Phase::kBlack) mine.fetch_add(1, std::memory_order_relaxed);
        }
      });
  }
  ~Observers() {
    stop_ = true;
    group_.wait();
  }
  std::uint64_t fewest() const {
    std::uint64_t fewest = UINT64_MAX;
    for (const std::atomic<std::uint64_t>& sightings : sightings_) fewest = std::min(fewest, sightings.load());
    return fewest;
  }
  std::uint64_t all() const {
    std::uint64_t sum = 0;
    for (const std::atomic<std::uint64_t>& sightings : sightings_) sum += sightings;
    return sum;
  }

 private:
  std::vector<std::atomic<std::uint64_t>> sightings_;
  std::atomic<bool> stop_{false};
  tandem::WaitGroup group_;
};

class StopTest : public tandem_test::HeapTest {
 protected:
  static Local<Canary> make_live_heap() {
    Local<Canary> chain;
    for (std::uint64_t i = 0; i < 300'000; ++i) chain = make<Canary>(chain, i);
    return chain;
  }
};
TANDEM_TEST_OVER_PROCESSORS(StopTest);

TEST_P(StopTest, EveryGoroutineGetsOnDuringARaggedCycle) {
  run([this] {
    const Local<Canary> live = make_live_heap();
    const Observers observers(processors());
    // A cycle is over soon, and an operating system with fewer CPUs than processors may leave some out: more cycles then.
    while (observers.fewest() < 3) tandem::collect();
    EXPECT_EQ(tandem::statistics().longest_all_stopped_ns, 0u);
    EXPECT_EQ(tandem::statistics().times_held, 0u);
    EXPECT_TRUE(live->alive());
  });
}

TEST_P(StopTest, NobodyGetsOnWhileTheWorldIsStopped) {
  tandem::Options stopped = options();
  stopped.stop = tandem::Options::Stop::stop_the_world;
  run(stopped, [this] {
    const Local<Canary> live = make_live_heap();
    const Observers observers(processors());
    for (int cycle = 0; cycle < 5; ++cycle) tandem::collect();
    EXPECT_EQ(observers.all(), 0u);
    EXPECT_GT(tandem::statistics().longest_all_stopped_ns, 0u);
    EXPECT_GE(tandem::statistics().times_held, 5u);  // an idle processor is not held: it has no worker
    EXPECT_TRUE(live->alive());
  });
}

}  // namespace
