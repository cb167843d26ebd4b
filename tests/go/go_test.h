#pragma once
// What Go's tests, told anew in Tandem's API, share. docs/go-tests.md says which test stands for which of Go's.

#if defined(__GNUC__) && !defined(__clang__)
// g++ 12 at -O1 takes the empty optional of a receive for an engaged one.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <optional>

#include <tandem/tandem.h>
#include <gtest/gtest.h>

#include "tests/support/run_fixture.h"
#include "tests/support/scale.h"

namespace tandem::test {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

/// Long enough that a test which waits for it has failed, also under a sanitizer on a busy machine.
inline constexpr std::chrono::seconds kHung{60};

/// Lets others do what they can do by now. A test that looks whether something happened that must not needs
/// it; it passes however little they get done.
inline void let_others_run() {
  for (int turn = 0; turn < 20; ++turn) yield();
  sleep_for(1ms);
}

/// Does f wait for ever? It runs as a goroutine of its own, which stays behind when it does.
template <class F>
bool waits(F f) {
  auto started = make_channel<bool>();
  auto returned = make_channel<bool>(1);
  go([=]() mutable {
    started->close();
    f();
    returned->send(true);
  });
  started->receive();
  let_others_run();
  return !returned->try_receive();
}

/// The next value, or nothing when none came for so long that none will.
template <class T>
std::optional<T> receive_in_time(const Local<Channel<T>>& channel) {
  std::optional<T> received;
  select(on_receive(channel, [&](std::optional<T> value) { received = std::move(value); }), on_timeout(kHung));
  return received;
}

/// Has the channel been closed before long? Values before that are dropped.
template <class T>
bool closed_in_time(const Local<Channel<T>>& channel) {
  for (;;) {
    bool closed = false;
    const bool timed_out =
        select(on_receive(channel, [&](const auto& value) { closed = !value; }), on_timeout(kHung)) == 1;
    if (closed || timed_out) return closed;
  }
}

/// Uses about `kilobytes` of the stack for a moment.
[[gnu::noinline]] inline int use_stack(int kilobytes) {
  volatile char frame[1024];
  frame[0] = static_cast<char>(kilobytes);
  return (kilobytes > 1 ? use_stack(kilobytes - 1) : 0) + frame[0];
}

/// P as Go's tests set GOMAXPROCS: the parameter. `options` may choose more than that.
class GoTest : public OnProcessors {
 protected:
  static std::uint32_t processors() { return GetParam(); }
  /// run_clean with a heap that shows at once what was freed too early.
  static void run_poisoned(const std::function<void()>& body) {
    Options options;
    options.processors = GetParam();
    options.poison_freed = true;
    tandem::run(options, [&] {
      body();
      EXPECT_TRUE(eventually([] { return goroutine_count() == 1; })) << goroutine_count() << " goroutines are left";
    });
  }
};

}  // namespace tandem::test
