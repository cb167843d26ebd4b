// A process for gdb to look at: goroutines that wait for this and that, and one that runs. Says "ready" when they do, then
// waits to be killed.

#include <atomic>
#include <chrono>
#include <cstdio>
#include <mutex>

#include <tandem/tandem.h>

using namespace tandem;

namespace {

std::atomic<bool> stop{false};
std::atomic<int> running{0};

[[gnu::noinline]] void wait_for_an_order(const Local<Channel<int>>& orders) {
  orders->receive();
  asm volatile("" ::: "memory");  // no tail call
}

[[gnu::noinline]] void wait_for_the_lock(Mutex& mutex) { const std::lock_guard guard(mutex); }

[[gnu::noinline]] void choose(const Local<Channel<int>>& left, const Local<Channel<int>>& right) {
  select(on_receive(left, [](auto) {}), on_receive(right, [](auto) {}));
  asm volatile("" ::: "memory");
}

[[gnu::noinline]] void compute_without_end() {
  ++running;
  while (!stop) safepoint();
}

}  // namespace

int main() {
  Options options;
  options.processors = 2;
  return run(options, [] {
    const auto orders = make_channel<int>();
    const auto other = make_channel<int>();
    Mutex mutex;
    mutex.lock();
    go(GoOptions{.name = "receiver"}, [orders] { wait_for_an_order(orders); });
    go(GoOptions{.name = "locker"}, [&mutex] { wait_for_the_lock(mutex); });
    go(GoOptions{.name = "chooser"}, [orders, other] { choose(orders, other); });
    go(GoOptions{.name = "sleeper"}, [] { sleep_for(std::chrono::hours(1)); });
    go(GoOptions{.name = "runner"}, [] { compute_without_end(); });
    while (running == 0 || statistics().parks < 4) yield();
    std::puts("ready");
    std::fflush(stdout);
    sleep_for(std::chrono::hours(1));
  });
}
