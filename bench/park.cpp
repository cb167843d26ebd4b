// A million parked goroutines: what each costs to create, to keep, in a collection, and to end.
#include "bench/harness.h"

namespace bench {
namespace {

using namespace tandem;

void park(const Recorder& recorder) {
  const std::int64_t n = recorder.scaled(1'000'000);
  const auto each = static_cast<double>(n);
  const Local<Channel<char>> gate = make_channel<char>();
  WaitGroup arrived, ended;
  arrived.add(n);
  ended.add(n);
  collect();
  const std::int64_t before = resident_bytes();
  recorder.per_operation("park/create", n, [&] {
    for (std::int64_t i = 0; i < n; ++i)
      go([&arrived, &ended, gate] {
        arrived.done();
        gate->receive();
        ended.done();
      });
    arrived.wait();
  });
  sleep_for(std::chrono::milliseconds(200));  // caches have been given back, if ever
  recorder.record("park/resident", static_cast<double>(resident_bytes() - before) / each, "B", 0, n);
  collect();
  recorder.per_operation("park/cycle", n, [] { collect(); });
  recorder.record("park/resident_after_cycle", static_cast<double>(resident_bytes() - before) / each, "B", 0, n);
  recorder.per_operation("park/wake_and_end", n, [&] {
    gate->close();
    ended.wait();
  });
}

const Register kPark(Case{"park", park});

}  // namespace
}  // namespace bench
