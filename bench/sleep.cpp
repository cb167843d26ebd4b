// How late sleepers wake up.
#include <atomic>
#include <chrono>
#include <vector>

#include "bench/harness.h"

namespace bench {
namespace {

using namespace tandem;
using std::chrono::nanoseconds;

std::vector<std::int64_t> lateness_ns(nanoseconds sleep, std::int64_t times, std::int64_t at_most_ns) {
  std::vector<std::int64_t> late;
  late.reserve(static_cast<std::size_t>(times));
  const std::int64_t end = wall_ns() + at_most_ns;
  for (std::int64_t start = wall_ns(); static_cast<std::int64_t>(late.size()) < times && start < end;) {
    sleep_for(sleep);
    const std::int64_t now = wall_ns();
    late.push_back(now - start - sleep.count());
    start = now;
  }
  return late;
}

// A 1 ms sleeper beside two goroutines that compute and poll.
void beside_spinners(const Recorder& recorder) {
  constexpr int kSpinners = 2;
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> sink{0};
  WaitGroup spinners;
  for (int i = 0; i < kSpinners; ++i)
    spinners.go([&] {
      std::uint64_t x = 1;
      while (!stop.load(std::memory_order_relaxed)) {
        for (int k = 0; k < 1000; ++k) {
          x = x * 2862933555777941757u + 3037000493u;
          asm volatile("" : "+r"(x));
        }
        safepoint();
      }
      sink += x;
    });
  const auto late = lateness_ns(std::chrono::milliseconds(1), recorder.scaled(1000, 20), 3'000'000'000);
  stop = true;
  spinners.wait();
  recorder.record_percentiles("sleep/1ms_lateness", late);
}

// On an otherwise idle runtime: how long a sleep of 100 us takes.
void on_idle(const Recorder& recorder) {
  auto taken = lateness_ns(std::chrono::microseconds(100), recorder.scaled(1000, 20), 3'000'000'000);
  for (std::int64_t& duration : taken) duration += 100'000;
  recorder.record_percentiles("sleep/100us_takes", taken);
}

const Register kBesideSpinners(Case{"sleep/beside_spinners", beside_spinners});
const Register kOnIdle(Case{"sleep/idle", on_idle});

}  // namespace
}  // namespace bench
