// How soon a full collection of a tiny heap is over while goroutines compute, and how soon processors reach
// their safepoints while goroutines allocate.
#include <atomic>
#include <vector>

#include "bench/harness.h"
#include "bench/trees.h"

namespace bench {
namespace {

using namespace tandem;

// As many goroutines as processors, each calling body() until the scope ends.
class Background {
 public:
  template <class Body>
  Background(unsigned goroutines, Body body) {
    for (unsigned i = 0; i < goroutines; ++i)
      all_.go([this, body] {
        while (!stop_.load(std::memory_order_relaxed)) body();
      });
  }
  ~Background() {
    stop_ = true;
    all_.wait();
  }

 private:
  std::atomic<bool> stop_{false};
  WaitGroup all_;
};

void compute_and_poll() {
  std::uint64_t x = 1;
  for (int k = 0; k < 1000; ++k) {
    x = x * 2862933555777941757u + 3037000493u;
    asm volatile("" : "+r"(x));
  }
  safepoint();
}

void beside_spinners(const Recorder& recorder) {
  const Background spinners(recorder.processors(), compute_and_poll);
  sleep_for(std::chrono::milliseconds(20));
  std::vector<std::int64_t> durations;
  for (std::int64_t i = 0; i < recorder.scaled(50, 5); ++i) {
    const std::int64_t start = wall_ns();
    collect();
    durations.push_back(wall_ns() - start);
  }
  recorder.record_percentiles("collect/beside_spinners", durations);
}

void time_to_safepoint(const Recorder& recorder) {
  {
    const Background allocators(recorder.processors(), [] { static_cast<void>(make_tree(10)); });
    for (std::int64_t i = 0; i < recorder.scaled(100, 5); ++i) {
      collect();
      sleep_for(std::chrono::milliseconds(2));
    }
  }
  const HistogramSnapshot histogram = statistics().time_to_safepoint;
  const auto record = [&](const char* name, std::uint64_t ns) {
    recorder.record(name, static_cast<double>(ns) / 1e3, "us", 0, static_cast<std::int64_t>(histogram.count));
  };
  record("safepoint/p50", histogram.percentile(0.5));
  record("safepoint/p99", histogram.percentile(0.99));
  record("safepoint/max", histogram.max_ns);
}

const Register kBesideSpinners(Case{"collect/beside_spinners", beside_spinners});
const Register kTimeToSafepoint(Case{"safepoint", time_to_safepoint});

}  // namespace
}  // namespace bench
