// A million timers.
#include <chrono>
#include <vector>

#include "bench/harness.h"

namespace bench {
namespace {

using namespace tandem;
using std::chrono::hours;
using std::chrono::microseconds;

std::chrono::nanoseconds up_to_a_second(Random& random) {
  return microseconds(static_cast<std::int64_t>(random.below(1'000'000)));
}

void timers(const Recorder& recorder) {
  const std::int64_t n = recorder.scaled(1'000'000);
  Random random(12345);
  std::vector<Timer> timers;
  timers.reserve(static_cast<std::size_t>(n));
  recorder.per_operation("timer/create", n, [&] {
    for (std::int64_t i = 0; i < n; ++i) timers.emplace_back(hours(1) + up_to_a_second(random), [] {});
  });
  recorder.per_operation("timer/stop", n, [&] {
    for (Timer& timer : timers) timer.stop();
  });
  timers.clear();
  WaitGroup fired;
  fired.add(n);
  recorder.per_operation("timer/fire", n, [&] {
    for (std::int64_t i = 0; i < n; ++i) timers.emplace_back(up_to_a_second(random), [&fired] { fired.done(); });
    fired.wait();
  });
}

const Register kTimers(Case{"timer", timers});

}  // namespace
}  // namespace bench
