// The poller on real descriptors: readiness, timeouts, interrupts.
#include "netpoll/epoll_poller.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <system_error>
#include <thread>

#include <gtest/gtest.h>

#include "tests/netpoll/record.h"

namespace tandem::netpoll {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::uint64_t kNoLimit = UINT64_MAX;
constexpr std::uint64_t kTenSecondsNs = 10'000'000'000;

class Pipe {
 public:
  Pipe() {
    if (::pipe2(ends_, O_CLOEXEC | O_NONBLOCK) != 0) throw std::system_error(errno, std::generic_category(), "pipe2");
  }
  ~Pipe() {
    ::close(ends_[0]);
    close_write_end();
  }
  int read_end() const { return ends_[0]; }
  int write_end() const { return ends_[1]; }
  void put() { ASSERT_EQ(::write(ends_[1], "x", 1), 1); }
  char get() {
    char byte = 0;
    return ::read(ends_[0], &byte, 1) == 1 ? byte : '\0';
  }
  void close_write_end() {
    if (ends_[1] >= 0) ::close(ends_[1]);
    ends_[1] = -1;
  }

 private:
  int ends_[2];
};

class EpollPollerTest : public testing::Test {
 protected:
  void SetUp() override { poller_.open(); }
  EpollPoller poller_;
};

TEST_F(EpollPollerTest, AByteInAPipeCallsTheReader) {
  Pipe pipe;
  const DescriptorId id = poller_.add(pipe.read_end());
  Record reader;
  ASSERT_TRUE(poller_.arm(id, kRead, reader.waiter()));
  EXPECT_EQ(poller_.waiters(), 1u);
  EXPECT_EQ(poller_.poll(0, nullptr), 0u);
  pipe.put();
  EXPECT_EQ(poller_.poll(kTenSecondsNs, nullptr), 1u);
  EXPECT_EQ(reader.calls, 1);
  EXPECT_EQ(reader.events & kReadable, kReadable);
  EXPECT_EQ(poller_.waiters(), 0u);

  // Edge-triggered: the byte that is still there makes no new event, a second byte does.
  ASSERT_TRUE(poller_.arm(id, kRead, reader.waiter()));
  EXPECT_EQ(poller_.poll(0, nullptr), 0u);
  pipe.put();
  EXPECT_EQ(poller_.poll(kTenSecondsNs, nullptr), 1u);
  EXPECT_EQ(reader.calls, 2);
  EXPECT_TRUE(poller_.remove(id, pipe.read_end(), nullptr));
}

TEST_F(EpollPollerTest, TheProcessorIsHandedThrough) {
  Pipe pipe;
  const DescriptorId id = poller_.add(pipe.read_end());
  static Processor* seen;
  seen = nullptr;
  Processor here;
  ASSERT_TRUE(poller_.arm(id, kRead, {[](void*, std::uint32_t, Processor* processor) { seen = processor; }, nullptr}));
  pipe.put();
  EXPECT_EQ(poller_.poll(kTenSecondsNs, &here), 1u);
  EXPECT_EQ(seen, &here);
}

TEST_F(EpollPollerTest, AnEmptyPipeIsWritableAtOnce) {
  Pipe pipe;
  const DescriptorId id = poller_.add(pipe.write_end());
  Record writer;
  ASSERT_TRUE(poller_.arm(id, kWrite, writer.waiter()));
  EXPECT_EQ(poller_.poll(kTenSecondsNs, nullptr), 1u);
  EXPECT_EQ(writer.events & kWritable, kWritable);
}

TEST_F(EpollPollerTest, TheOtherEndClosingCallsTheReader) {
  Pipe pipe;
  const DescriptorId id = poller_.add(pipe.read_end());
  Record reader;
  ASSERT_TRUE(poller_.arm(id, kRead, reader.waiter()));
  pipe.close_write_end();
  EXPECT_EQ(poller_.poll(kTenSecondsNs, nullptr), 1u);
  EXPECT_EQ(reader.events & kReadable, kReadable) << "read() will say that it is the end";
}

TEST_F(EpollPollerTest, AnEventBeforeArmIsNotLost) {
  Pipe pipe;
  const DescriptorId id = poller_.add(pipe.read_end());
  pipe.put();
  EXPECT_EQ(poller_.poll(kTenSecondsNs, nullptr), 0u) << "nobody waits";
  Record reader;
  EXPECT_FALSE(poller_.arm(id, kRead, reader.waiter()));
  EXPECT_EQ(pipe.get(), 'x');
}

TEST_F(EpollPollerTest, ARemovedDescriptorIsSilent) {
  Pipe pipe;
  const DescriptorId id = poller_.add(pipe.read_end());
  Record reader;
  ASSERT_TRUE(poller_.arm(id, kRead, reader.waiter()));
  pipe.put();
  EXPECT_TRUE(poller_.remove(id, pipe.read_end(), nullptr));
  EXPECT_EQ(reader.events, kClosed);
  EXPECT_EQ(poller_.poll(0, nullptr), 0u);
  EXPECT_EQ(reader.calls, 1);
}

TEST_F(EpollPollerTest, ARegularFileIsRefused) {
  char path[] = "/tmp/tandem-poller-XXXXXX";
  const int file = ::mkstemp(path);
  ASSERT_GE(file, 0);
  ::unlink(path);
  try {
    poller_.add(file);
    ADD_FAILURE() << "epoll took a regular file";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), EPERM);
  }
  ::close(file);
}

void expect_not_early(EpollPoller& poller, std::chrono::nanoseconds timeout) {
  const Clock::time_point start = Clock::now();
  EXPECT_EQ(poller.poll(static_cast<std::uint64_t>(timeout.count()), nullptr), 0u);
  EXPECT_GE(Clock::now() - start, timeout);
}

TEST_F(EpollPollerTest, ATimeoutIsNeverEarly) {
  for (const std::chrono::nanoseconds timeout : {1ns, 50'000ns, 1'000'001ns, 20'300'000ns})
    expect_not_early(poller_, timeout);
}

TEST_F(EpollPollerTest, ATimeoutIsNeverEarlyOnAnOldKernel) {
  poller_.use_millisecond_timeouts();
  for (const std::chrono::nanoseconds timeout : {1ns, 50'000ns, 1'000'001ns, 20'300'000ns})
    expect_not_early(poller_, timeout);
}

TEST_F(EpollPollerTest, InterruptEndsAWaitFromAnotherThread) {
  std::atomic<bool> returned{false};
  std::thread waiting([&] {
    poller_.poll(kNoLimit, nullptr);
    returned = true;
  });
  std::this_thread::sleep_for(20ms);
  EXPECT_FALSE(returned);
  poller_.interrupt();
  waiting.join();  // hangs, and the test with it, if the interrupt was lost
}

TEST_F(EpollPollerTest, AnInterruptBeforeTheWaitEndsItAndOnlyIt) {
  poller_.interrupt();
  poller_.interrupt();  // one token, however often
  poller_.poll(kNoLimit, nullptr);
  expect_not_early(poller_, 5ms);
}

TEST_F(EpollPollerTest, APollThatDoesNotWaitLeavesTheInterrupt) {
  poller_.interrupt();
  EXPECT_EQ(poller_.poll(0, nullptr), 0u);
  poller_.poll(kNoLimit, nullptr);  // hangs if the token was taken
}

TEST_F(EpollPollerTest, WhileOneWaitsOthersReturnAtOnce) {
  std::thread waiting([&] { poller_.poll(kNoLimit, nullptr); });
  std::this_thread::sleep_for(50ms);
  const Clock::time_point start = Clock::now();
  EXPECT_EQ(poller_.poll(kTenSecondsNs, nullptr), 0u);
  EXPECT_LT(Clock::now() - start, 5s);
  poller_.interrupt();
  waiting.join();
}

// Each round the waker waits for the wait to end, then interrupts the next: one lost token and the test
// hangs.
TEST_F(EpollPollerTest, NoInterruptIsLostInAQuickSequence) {
  constexpr int kRounds = 20'000;
  std::atomic<int> published{0}, seen{0};
  std::thread waiting([&] {
    while (seen < kRounds) {
      if (published == seen) poller_.poll(kNoLimit, nullptr);
      if (published != seen) ++seen;
    }
  });
  for (int round = 0; round < kRounds; ++round) {
    ++published;
    poller_.interrupt();
    poller_.poll(0, nullptr);  // must not take the token
    while (seen != published) std::this_thread::yield();
  }
  waiting.join();
}

TEST(EpollPollerOpening, CanBeOpenedAgainAfterClose) {
  EpollPoller poller;
  for (int round = 0; round < 2; ++round) {
    poller.open();
    poller.interrupt();
    poller.close();
    poller.open();
    expect_not_early(poller, 1ms);  // no token is left over
    poller.close();
  }
}

}  // namespace
}  // namespace tandem::netpoll
