// Locks, conditions and wait groups.
#include <mutex>
#include <shared_mutex>

#include "bench/harness.h"

namespace bench {
namespace {

using namespace tandem;

void uncontended(std::int64_t n) {
  Mutex mutex;
  volatile std::int64_t counter = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const std::lock_guard lock(mutex);
    counter = counter + 1;
  }
  expect(counter == n, "mutex");
}

void shared_read(std::int64_t n) {
  constexpr int kReaders = 8;
  SharedMutex mutex;
  WaitGroup all;
  for (int reader = 0; reader < kReaders; ++reader)
    all.go([&mutex, n] {
      for (std::int64_t i = 0; i < n / kReaders; ++i) const std::shared_lock lock(mutex);
    });
  all.wait();
}

// Two goroutines that take turns; per round trip.
void condition(std::int64_t n) {
  Mutex mutex;
  ConditionVariable changed;
  int turn = 0;
  const auto take_turns = [&](int mine, int other) {
    std::unique_lock lock(mutex);
    for (std::int64_t i = 0; i < n; ++i) {
      while (turn != mine) changed.wait(lock);
      turn = other;
      changed.notify_one();
    }
  };
  WaitGroup second;
  second.go([&] { take_turns(1, 0); });
  take_turns(0, 1);
  second.wait();
}

// Sixty-four goroutines that do nothing but end; each.
void wait_group(std::int64_t n) {
  constexpr int kGoroutines = 64;
  for (std::int64_t round = 0; round < n / kGoroutines; ++round) {
    WaitGroup all;
    all.add(kGoroutines);
    for (int g = 0; g < kGoroutines; ++g) go([&all] { all.done(); });
    all.wait();
  }
}

const Register kUncontended(Micro{"mutex/uncontended", 4'000'000, uncontended});
const Register kSharedRead(Micro{"mutex/shared_read", 4'000'000, shared_read});
const Register kCondition(Micro{"condition/round_trip", 500'000, condition});
const Register kWaitGroup(Micro{"wait_group/64", 1'000'000, wait_group});

}  // namespace
}  // namespace bench
