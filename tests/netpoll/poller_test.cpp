// The pollers on real descriptors: readiness, timeouts, interrupts.
#include "netpoll/poller.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <system_error>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "netpoll/epoll_poller.h"
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

struct Kind {
  const char* name;
  std::unique_ptr<Poller> (*make)();
};

class PollerTest : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    try {
      poller_ = GetParam().make();
    } catch (const std::system_error& error) {
      GTEST_SKIP() << error.what();  // the kernel refuses io_uring
    }
  }
  std::unique_ptr<Poller> poller_;
};
constexpr auto name_of = [](const auto& kind) { return std::string(kind.param.name); };
// All of the one before all of the other: a ring that is gone may still interrupt its thread's system calls for a moment.
INSTANTIATE_TEST_SUITE_P(First, PollerTest, testing::Values(Kind{"Epoll", &make_epoll_poller}), name_of);
#if defined(TANDEM_HAS_LIBURING)
INSTANTIATE_TEST_SUITE_P(Second, PollerTest, testing::Values(Kind{"Uring", &make_uring_poller}), name_of);
#endif

TEST_P(PollerTest, AByteInAPipeCallsTheReader) {
  Pipe pipe;
  const DescriptorId id = poller_->add(pipe.read_end());
  Record reader;
  ASSERT_TRUE(poller_->arm(id, kRead, reader.waiter()));
  EXPECT_EQ(poller_->waiters(), 1u);
  EXPECT_EQ(poller_->poll(0, nullptr), 0u);
  pipe.put();
  EXPECT_EQ(poller_->poll(kTenSecondsNs, nullptr), 1u);
  EXPECT_EQ(reader.calls, 1);
  EXPECT_EQ(reader.events & kReadable, kReadable);
  EXPECT_EQ(poller_->waiters(), 0u);

  // Edge-triggered: the byte that is still there makes no new event, a second byte does.
  ASSERT_TRUE(poller_->arm(id, kRead, reader.waiter()));
  EXPECT_EQ(poller_->poll(0, nullptr), 0u);
  pipe.put();
  EXPECT_EQ(poller_->poll(kTenSecondsNs, nullptr), 1u);
  EXPECT_EQ(reader.calls, 2);
  EXPECT_TRUE(poller_->remove(id, pipe.read_end(), nullptr));
}

TEST_P(PollerTest, TheProcessorIsHandedThrough) {
  Pipe pipe;
  const DescriptorId id = poller_->add(pipe.read_end());
  static Processor* seen;
  seen = nullptr;
  Processor here;
  ASSERT_TRUE(poller_->arm(id, kRead, {[](void*, std::uint32_t, Processor* processor) { seen = processor; }, nullptr}));
  pipe.put();
  EXPECT_EQ(poller_->poll(kTenSecondsNs, &here), 1u);
  EXPECT_EQ(seen, &here);
}

TEST_P(PollerTest, AnEmptyPipeIsWritableAtOnce) {
  Pipe pipe;
  const DescriptorId id = poller_->add(pipe.write_end());
  Record writer;
  ASSERT_TRUE(poller_->arm(id, kWrite, writer.waiter()));
  EXPECT_EQ(poller_->poll(kTenSecondsNs, nullptr), 1u);
  EXPECT_EQ(writer.events & kWritable, kWritable);
}

TEST_P(PollerTest, TheOtherEndClosingCallsTheReader) {
  Pipe pipe;
  const DescriptorId id = poller_->add(pipe.read_end());
  Record reader;
  ASSERT_TRUE(poller_->arm(id, kRead, reader.waiter()));
  pipe.close_write_end();
  EXPECT_EQ(poller_->poll(kTenSecondsNs, nullptr), 1u);
  EXPECT_EQ(reader.events & kReadable, kReadable) << "read() will say that it is the end";
}

TEST_P(PollerTest, AnEventBeforeArmIsNotLost) {
  Pipe pipe;
  const DescriptorId id = poller_->add(pipe.read_end());
  pipe.put();
  EXPECT_EQ(poller_->poll(kTenSecondsNs, nullptr), 0u) << "nobody waits";
  Record reader;
  EXPECT_FALSE(poller_->arm(id, kRead, reader.waiter()));
  EXPECT_EQ(pipe.get(), 'x');
}

TEST_P(PollerTest, ARemovedDescriptorIsSilent) {
  Pipe pipe;
  const DescriptorId id = poller_->add(pipe.read_end());
  Record reader;
  ASSERT_TRUE(poller_->arm(id, kRead, reader.waiter()));
  pipe.put();
  EXPECT_TRUE(poller_->remove(id, pipe.read_end(), nullptr));
  EXPECT_EQ(reader.events, kClosed);
  EXPECT_EQ(poller_->poll(0, nullptr), 0u);
  EXPECT_EQ(reader.calls, 1);
}

TEST_P(PollerTest, ARegularFileIsRefused) {
  char path[] = "/tmp/tandem-poller-XXXXXX";
  const int file = ::mkstemp(path);
  ASSERT_GE(file, 0);
  ::unlink(path);
  try {
    poller_->add(file);
    ADD_FAILURE() << "epoll took a regular file";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), EPERM);
  }
  ::close(file);
}

void expect_not_early(Poller& poller, std::chrono::nanoseconds timeout) {
  const Clock::time_point start = Clock::now();
  EXPECT_EQ(poller.poll(static_cast<std::uint64_t>(timeout.count()), nullptr), 0u);
  EXPECT_GE(Clock::now() - start, timeout);
}

TEST_P(PollerTest, ATimeoutIsNeverEarly) {
  for (const std::chrono::nanoseconds timeout : {1ns, 50'000ns, 1'000'001ns, 20'300'000ns})
    expect_not_early(*poller_, timeout);
}

TEST(EpollPollerTest, ATimeoutIsNeverEarlyOnAnOldKernel) {
  EpollPoller poller;
  poller.use_millisecond_timeouts();
  for (const std::chrono::nanoseconds timeout : {1ns, 50'000ns, 1'000'001ns, 20'300'000ns})
    expect_not_early(poller, timeout);
}

TEST_P(PollerTest, InterruptEndsAWaitFromAnotherThread) {
  std::atomic<bool> returned{false};
  std::thread waiting([&] {
    poller_->poll(kNoLimit, nullptr);
    returned = true;
  });
  std::this_thread::sleep_for(20ms);
  EXPECT_FALSE(returned);
  poller_->interrupt();
  waiting.join();  // hangs, and the test with it, if the interrupt was lost
}

TEST_P(PollerTest, AnInterruptBeforeTheWaitEndsItAndOnlyIt) {
  poller_->interrupt();
  poller_->interrupt();  // one token, however often
  poller_->poll(kNoLimit, nullptr);
  expect_not_early(*poller_, 5ms);
}

TEST_P(PollerTest, APollThatDoesNotWaitLeavesTheInterrupt) {
  poller_->interrupt();
  EXPECT_EQ(poller_->poll(0, nullptr), 0u);
  poller_->poll(kNoLimit, nullptr);  // hangs if the token was taken
}

TEST_P(PollerTest, WhileOneWaitsOthersReturnAtOnce) {
  std::thread waiting([&] { poller_->poll(kNoLimit, nullptr); });
  std::this_thread::sleep_for(50ms);
  const Clock::time_point start = Clock::now();
  EXPECT_EQ(poller_->poll(kTenSecondsNs, nullptr), 0u);
  EXPECT_LT(Clock::now() - start, 5s);
  poller_->interrupt();
  waiting.join();
}

// Each round the waker waits for the wait to end, then interrupts the next: one lost token and the test
// hangs.
TEST_P(PollerTest, NoInterruptIsLostInAQuickSequence) {
  constexpr int kRounds = 20'000;
  std::atomic<int> published{0}, seen{0};
  std::thread waiting([&] {
    while (seen < kRounds) {
      if (published == seen) poller_->poll(kNoLimit, nullptr);
      if (published != seen) ++seen;
    }
  });
  for (int round = 0; round < kRounds; ++round) {
    ++published;
    poller_->interrupt();
    poller_->poll(0, nullptr);  // must not take the token
    while (seen != published) std::this_thread::yield();
  }
  waiting.join();
}

// io_uring cancels what a thread has asked for when the thread exits.
TEST_P(PollerTest, ADescriptorThatAThreadAddedOutlivesTheThread) {
  Pipe pipe;
  DescriptorId id;
  std::thread([&] { id = poller_->add(pipe.read_end()); }).join();
  Record reader;
  ASSERT_TRUE(poller_->arm(id, kRead, reader.waiter()));
  for (int round = 1; round <= 3; ++round) {
    pipe.put();
    const Clock::time_point limit = Clock::now() + 10s;
    while (reader.calls < round && Clock::now() < limit) poller_->poll(50'000'000, nullptr);
    ASSERT_EQ(reader.calls, round);
    ASSERT_EQ(pipe.get(), 'x');
    ASSERT_TRUE(poller_->arm(id, kRead, reader.waiter()));
  }
  EXPECT_TRUE(poller_->remove(id, pipe.read_end(), nullptr));
}

// The other end learns of a close at once, or nearly: nothing but the descriptor may hold the file.
TEST_P(PollerTest, ARemovedDescriptorIsClosedByClose) {
  for (int round = 0; round < 100; ++round) {
    Pipe pipe;
    const DescriptorId id = poller_->add(pipe.write_end());
    if (round % 2 == 0) poller_->poll(0, nullptr);
    EXPECT_TRUE(poller_->remove(id, pipe.write_end(), nullptr));
    pipe.close_write_end();
    char byte;
    const Clock::time_point limit = Clock::now() + 10s;
    ::ssize_t result = -1;
    while ((result = ::read(pipe.read_end(), &byte, 1)) < 0 && Clock::now() < limit) std::this_thread::yield();
    ASSERT_EQ(result, 0) << "not at its end";
  }
}

// More completions than a queue holds, of many descriptors: none is lost.
TEST_P(PollerTest, ManyDescriptorsBecomeReadyAtOnce) {
  constexpr int kPipes = 400, kBytes = 60;
  std::vector<std::unique_ptr<Pipe>> pipes;
  std::vector<DescriptorId> ids;
  for (int i = 0; i < kPipes; ++i) {
    pipes.push_back(std::make_unique<Pipe>());
    ids.push_back(poller_->add(pipes.back()->read_end()));
  }
  for (int byte = 0; byte < kBytes; ++byte)
    for (const auto& pipe : pipes) pipe->put();
  std::vector<Record> readers(kPipes);
  int ready = 0;
  const Clock::time_point limit = Clock::now() + 10s;
  std::vector<bool> done(kPipes);
  while (ready < kPipes && Clock::now() < limit) {
    poller_->poll(1'000'000, nullptr);
    for (int i = 0; i < kPipes; ++i) {
      if (done[i] || poller_->arm(ids[i], kRead, readers[i].waiter())) {
        if (!done[i]) poller_->disarm(ids[i], kRead);
        continue;
      }
      done[i] = true;
      ++ready;
    }
  }
  EXPECT_EQ(ready, kPipes);
}

}  // namespace
}  // namespace tandem::netpoll
