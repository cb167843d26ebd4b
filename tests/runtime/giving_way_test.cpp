// Whoever calls the library in a loop gives way to others, whatever it calls; and nobody who is runnable is forgotten for those that
// are so all the time.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tandem/tandem.h"
#include "tests/support/scale.h"

namespace tandem {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

/// `call` again and again, until a goroutine that sleeps meanwhile has woken up; false: it has not for very long.
bool gives_way(const std::function<void()>& call) {
  bool woken = false;
  WaitGroup group;
  group.go([&] {
    sleep_for(1ms);
    woken = true;
  });
  const auto end = steady_clock::now() + 60s;
  while (!woken && steady_clock::now() < end) call();
  const bool in_time = woken;
  group.wait();
  return in_time;
}

TEST(GivingWay, CallsThatNeverWait) {
  Options options;
  options.processors = 1;
  tandem::run(options, [] {
    Mutex mutex;
    mutex.lock();
    SharedMutex shared;
    shared.lock();
    Semaphore none(0), permits(0);
    const Local<Context> context = Context::background();
    const Local<Channel<int>> channel = make_channel<int>();
    const std::vector<std::pair<std::string, std::function<void()>>> calls{
        {"Mutex::try_lock", [&] { EXPECT_FALSE(mutex.try_lock()); }},
        {"SharedMutex::try_lock", [&] { EXPECT_FALSE(shared.try_lock()); }},
        {"SharedMutex::try_lock_shared", [&] { EXPECT_FALSE(shared.try_lock_shared()); }},
        {"Semaphore::try_acquire", [&] { EXPECT_FALSE(none.try_acquire()); }},
        {"Semaphore::release", [&] { permits.release(); }},
        {"Context::error", [&] { EXPECT_FALSE(context->error()); }},
        {"Channel::size", [&] { EXPECT_EQ(channel->size(), 0u); }},
        {"statistics", [] { static_cast<void>(statistics()); }},
        {"heap_statistics", [] { static_cast<void>(heap_statistics()); }},
        {"goroutine_count", [] { EXPECT_GT(goroutine_count(), 0u); }},
    };
    for (const auto& [name, call] : calls) EXPECT_TRUE(gives_way(call)) << name;
    mutex.unlock();
    shared.unlock();
  });
}

TEST(GivingWay, CallsOfTheNetworkThatNeedNotWait) {
  Options options;
  options.processors = 1;
  tandem::run(options, [] {
    net::TcpListener listener = net::TcpListener::bind("127.0.0.1:0");
    net::TcpStream client = net::TcpStream::connect(listener.local_endpoint().to_string(), 5s);
    net::TcpStream ended = listener.accept();
    client.shutdown_write();
    net::UdpSocket socket = net::UdpSocket::bind("127.0.0.1:0");
    const net::Endpoint self = socket.local_endpoint();
    net::UdpSocket late = net::UdpSocket::bind("127.0.0.1:0");
    late.set_deadline(steady_clock::now() - 1s);
    std::byte byte{};
    const std::span<std::byte> buffer(&byte, 1);
    const std::vector<std::pair<std::string, std::function<void()>>> calls{
        {"read at the end", [&] { EXPECT_EQ(ended.read(buffer), 0u); }},
        {"local_endpoint", [&] { static_cast<void>(socket.local_endpoint()); }},
        {"send and receive",
         [&] {
           socket.send_to(buffer, self);
           socket.receive_from(buffer);
         }},
        {"receive after the deadline",
         [&] {
           std::error_code error;
           late.receive_from(buffer, error);
           EXPECT_EQ(error, std::errc::timed_out);
         }},
    };
    for (const auto& [name, call] : calls) EXPECT_TRUE(gives_way(call)) << name;
  });
}

// The processor is inside some f nearly always when somebody looks at it.
TEST(GivingWay, ManyShortBlockingCalls) {
  Options options;
  options.processors = 1;
  tandem::run(options, [] {
    constexpr std::size_t kTicks = 15;
    std::uint64_t calls = 0;
    std::vector<std::uint64_t> at;
    WaitGroup group;
    group.go([&] {
      for (std::size_t i = 0; i < kTicks; ++i) {
        sleep_for(1ms);
        at.push_back(calls);
      }
    });
    while (at.size() < kTicks) {
      blocking([] {
        for (const auto end = steady_clock::now() + 15us; steady_clock::now() < end;) {
        }
      });
      ++calls;
    }
    group.wait();
    std::vector<std::uint64_t> between;
    for (std::size_t i = 1; i < kTicks; ++i) between.push_back(at[i] - at[i - 1]);
    std::ranges::nth_element(between, between.begin() + kTicks / 2);
    EXPECT_LT(between[kTicks / 2], 1000u) << "calls of some 15 us while a goroutine sleeps for 1 ms, in the median";
  });
}

// More than a processor's ring has room for, beside as many as keep it busy.
TEST(GivingWay, ABurstBesideGoroutinesThatAlwaysYield) {
  Options options;
  options.processors = 1;
  tandem::run(options, [] {
    constexpr std::uint64_t kYielding = 200, kBurst = 2000;
    std::uint64_t yields = 0, finished = 0;
    bool stop = false;
    WaitGroup yielding, burst;
    for (std::uint64_t i = 0; i < kYielding; ++i)
      yielding.go([&] {
        while (!stop) {
          ++yields;
          yield();
        }
      });
    const Local<Channel<int>> start = make_channel<int>();
    for (std::uint64_t i = 0; i < kBurst; ++i)
      burst.go([&, start] {
        start->receive();
        ++finished;
      });
    const std::uint64_t before = yields;
    start->close();
    burst.wait();
    stop = true;
    EXPECT_EQ(finished, kBurst);
    EXPECT_LT(yields - before, kBurst * 50);
    yielding.wait();
  });
}

}  // namespace
}  // namespace tandem
