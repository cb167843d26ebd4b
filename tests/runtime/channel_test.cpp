#include "tandem/channel.h"

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/seam/goroutine.h"
#include "tandem/go.h"
#include "tandem/sync.h"
#include "tests/support/run_fixture.h"

namespace tandem {
namespace {

class ChannelTest : public test::OnProcessors {};
TANDEM_ON_PROCESSORS(ChannelTest);

TEST_P(ChannelTest, KeepsTheOrderOfOneSender) {
  run_clean([] {
    for (std::size_t capacity : {0, 1, 3, 64}) {
      auto channel = make_channel<int>(capacity);
      EXPECT_EQ(channel->capacity(), capacity);
      go([=] {
        for (int i = 0; i < 1000; ++i) channel->send(i);
        channel->close();
      });
      int expected = 0;
      for (int value : *channel) EXPECT_EQ(value, expected++);
      EXPECT_EQ(expected, 1000);
    }
  });
}

TEST_P(ChannelTest, ReceivesWhatWasSentBeforeTheCloseThenNothing) {
  run_clean([] {
    auto channel = make_channel<int>(2);
    channel->send(1);
    channel->send(2);
    EXPECT_EQ(channel->size(), 2u);
    channel->close();
    EXPECT_EQ(channel->receive(), 1);
    EXPECT_EQ(channel->try_receive().value, 2);
    EXPECT_EQ(channel->receive(), std::nullopt);
    EXPECT_EQ(channel->try_receive().status, TryReceived<int>::closed);
  });
}

TEST_P(ChannelTest, SendOnAndCloseOfAClosedChannelThrow) {
  run_clean([] {
    auto channel = make_channel<int>(1);
    channel->close();
    EXPECT_THROW(channel->send(1), ChannelClosed);
    EXPECT_THROW(static_cast<void>(channel->try_send(1)), ChannelClosed);
    EXPECT_THROW(channel->close(), ChannelClosed);
    EXPECT_THROW(channel->close(), std::logic_error);
  });
}

TEST_P(ChannelTest, CloseWakesReceiversAndSenders) {
  run_clean([] {
    auto empty = make_channel<int>();
    auto full = make_channel<std::string>(1);
    full->send("kept");
    std::atomic<int> told{0};
    for (int i = 0; i < 10; ++i) {
      go([=, &told] {
        if (!empty->receive()) ++told;
      });
      go([=, &told] {
        try {
          full->send("lost");
        } catch (const ChannelClosed&) {
          ++told;
        }
      });
    }
    for (int i = 0; i < 50; ++i) yield();
    empty->close();
    full->close();
    EXPECT_TRUE(test::eventually([&] { return told == 20; })) << told;
    EXPECT_EQ(full->receive(), "kept");
    EXPECT_EQ(full->receive(), std::nullopt);
  });
}

TEST_P(ChannelTest, TryOperationsDoNotWait) {
  run_clean([] {
    auto channel = make_channel<int>(1);
    EXPECT_EQ(channel->try_receive().status, TryReceived<int>::empty);
    EXPECT_TRUE(channel->try_send(7));
    EXPECT_FALSE(channel->try_send(8));
    const auto received = channel->try_receive();
    EXPECT_EQ(received.status, TryReceived<int>::received);
    EXPECT_EQ(received.value, 7);
    auto unbuffered = make_channel<int>();
    EXPECT_FALSE(unbuffered->try_send(1));
    EXPECT_EQ(unbuffered->try_receive().status, TryReceived<int>::empty);
  });
}

TEST_P(ChannelTest, TryOperationsMeetWaiters) {
  run_clean([] {
    auto channel = make_channel<int>();
    std::atomic<int> got{0};
    go([=, &got] { got = *channel->receive(); });
    EXPECT_TRUE(test::eventually([&] { return channel->try_send(5); }));
    EXPECT_TRUE(test::eventually([&] { return got == 5; }));
    go([=] { channel->send(6); });
    int value = 0;
    EXPECT_TRUE(test::eventually([&] {
      auto received = channel->try_receive();
      if (received) value = *received.value;
      return bool(received);
    }));
    EXPECT_EQ(value, 6);
  });
}

// Every element is received once, whatever the capacity, and each receiver sees each sender's elements in
// order.
TEST_P(ChannelTest, LosesAndDuplicatesNothing) {
  constexpr int kSenders = 4, kReceivers = 4, kEach = 5000;
  run_clean([&] {
    for (std::size_t capacity : {0, 1, 16}) {
      auto channel = make_channel<int>(capacity);
      std::vector<std::atomic<int>> seen(kSenders * kEach);
      WaitGroup senders, receivers;
      std::atomic<int> out_of_order{0};
      for (int sender = 0; sender < kSenders; ++sender)
        senders.go([=] {
          for (int i = 0; i < kEach; ++i) channel->send(sender * kEach + i);
        });
      for (int receiver = 0; receiver < kReceivers; ++receiver)
        receivers.go([=, &seen, &out_of_order] {
          int last[kSenders] = {-1, -1, -1, -1};
          for (int value : *channel) {
            seen[value]++;
            if (value % kEach <= last[value / kEach]) ++out_of_order;
            last[value / kEach] = value % kEach;
          }
        });
      senders.wait();
      channel->close();
      receivers.wait();
      int wrong = 0;
      for (auto& count : seen) wrong += count != 1;
      EXPECT_EQ(wrong, 0);
      EXPECT_EQ(out_of_order, 0);
    }
  });
}

TEST_P(ChannelTest, ServesWaitersInOrderOfArrival) {
  run_clean([] {
    auto requests = make_channel<int>();
    auto served = make_channel<int>(16);
    for (int i = 0; i < 16; ++i) {
      std::atomic<seam::Goroutine*> sender{nullptr};
      go([=, &sender] {
        sender = seam::current_goroutine();
        requests->send(i);
        served->send(i);
      });
      // One after the other: the next starts when this one waits.
      EXPECT_TRUE(test::eventually([&] { return sender != nullptr && sender.load()->state == seam::kWaiting; }));
    }
    for (int i = 0; i < 16; ++i) EXPECT_EQ(requests->receive(), i);
    for (int i = 0; i < 16; ++i) served->receive();
  });
}

TEST_P(ChannelTest, CarriesTenThousandGoroutines) {
  run_clean([] {
    auto channel = make_channel<int>();
    constexpr int kCount = 10'000;
    for (int i = 0; i < kCount; ++i) go([=] { channel->send(i); });
    std::int64_t sum = 0;
    for (int i = 0; i < kCount; ++i) sum += *channel->receive();
    EXPECT_EQ(sum, std::int64_t{kCount} * (kCount - 1) / 2);
  });
}

TEST_P(ChannelTest, MovesMoveOnlyAndNonTrivialElements) {
  run_clean([] {
    for (std::size_t capacity : {0, 2}) {
      auto pointers = make_channel<std::unique_ptr<int>>(capacity);
      auto strings = make_channel<std::string>(capacity);
      go([=] {
        for (int i = 0; i < 100; ++i) {
          pointers->send(std::make_unique<int>(i));
          strings->send(std::string(100, static_cast<char>('a' + i % 26)));
        }
        pointers->close();
      });
      int expected = 0;
      for (std::unique_ptr<int> pointer : *pointers) {
        EXPECT_EQ(*pointer, expected);
        EXPECT_EQ(strings->receive(), std::string(100, static_cast<char>('a' + expected % 26)));
        ++expected;
      }
      EXPECT_EQ(expected, 100);
    }
  });
}

struct Counted {
  static inline std::atomic<int> alive{0};
  Counted() { ++alive; }
  Counted(const Counted&) { ++alive; }
  Counted(Counted&&) noexcept { ++alive; }
  ~Counted() { --alive; }
};

}  // namespace
template <>
struct is_leaf<Counted> : std::true_type {};
namespace {

TEST_P(ChannelTest, DestroysWhatIsLeftWithTheChannel) {
  run_and_cancel([] {
    auto channel = make_channel<Counted>(8);
    for (int i = 0; i < 5; ++i) channel->send(Counted());
    channel->receive();
    EXPECT_EQ(Counted::alive, 4);
  });
  EXPECT_EQ(Counted::alive, 0);
}

struct Node {
  Member<Node> next;
  int value = 0;
  void trace(Visitor& visit) const { visit(next); }
};

TEST_P(ChannelTest, CarriesReferences) {
  run_clean([] {
    for (std::size_t capacity : {0, 1, 8}) {
      auto channel = make_channel<Member<Node>>(capacity);
      go([=] {
        Local<Node> list;
        for (int i = 0; i < 2000; ++i) {
          list = make<Node>(list, i);
          channel->send(list);
        }
        channel->close();
      });
      int expected = 0;
      for (Local<Node> node : *channel) {
        ASSERT_EQ(node->value, expected);
        if (expected > 0) {
          ASSERT_EQ(node->next->value, expected - 1);
        }
        ++expected;
      }
      EXPECT_EQ(expected, 2000);
    }
  });
}

TEST_P(ChannelTest, CarriesStructsWithReferences) {
  run_clean([] {
    for (std::size_t capacity : {0, 2}) {
      auto channel = make_channel<Node>(capacity);
      auto inner = make<Node>(nullptr, 42);
      go([=] {
        for (int i = 0; i < 100; ++i) channel->send({inner, i});
        channel->close();
      });
      int expected = 0;
      for (Rooted<Node> node : *channel) {
        EXPECT_EQ(node->value, expected++);
        EXPECT_EQ(node->next->value, 42);
      }
      EXPECT_EQ(expected, 100);
    }
  });
}

TEST_P(ChannelTest, EndOfRunCancelsBlockedSendersAndReceivers) {
  std::atomic<int> started{0}, cancelled{0};
  run_and_cancel([&] {
    auto channel = make_channel<int>();
    auto full = make_channel<int>(1);
    full->send(0);
    for (int i = 0; i < 20; ++i)
      go([=, &started, &cancelled] {
        ++started;
        try {
          if (i % 2 == 0)
            channel->receive();
          else
            full->send(i);
        } catch (const Cancelled&) {
          ++cancelled;
          throw;
        }
      });
    EXPECT_TRUE(test::eventually([&] { return started == 20; }));
  });
  EXPECT_EQ(cancelled, 20);
}

// Closures run, and are cancelled, with a channel of their own still in use: the iteration keeps its channel.
TEST_P(ChannelTest, IterationKeepsTheChannel) {
  run_clean([] {
    int sum = 0;
    auto produce = [] {
      auto channel = make_channel<int>(4);
      go([=] {
        for (int i = 0; i < 10; ++i) channel->send(i);
        channel->close();
      });
      return channel;
    };
    for (int value : *produce()) sum += value;
    EXPECT_EQ(sum, 45);
  });
}

TEST_P(ChannelTest, RefusesACapacityBeyondItsRange) {
  run_clean([] { EXPECT_THROW(static_cast<void>(make_channel<char>(std::size_t{1} << 32)), std::length_error); });
}

TEST(ChannelDeathTest, UsedOffAGoroutineSaysSo) {
  EXPECT_EXIT(
      {
        detail::ChannelCore core;
        static_cast<void>(detail::channel_close(core));
      },
      testing::ExitedWithCode(2), "Channel::close was called on a thread that runs no goroutine");
}

}  // namespace
}  // namespace tandem
