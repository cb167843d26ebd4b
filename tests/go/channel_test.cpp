// What Go's runtime/chan_test.go, runtime/chanbarrier_test.go, test/chan and test/closedchan.go check of channels.
#include "tests/go/go_test.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <limits>
#include <string>
#include <variant>
#include <vector>

namespace tandem {
namespace {

using namespace test;

class GoChannel : public GoTest {};
TANDEM_ON_PROCESSORS(GoChannel);

constexpr std::size_t kCapacities[] = {0, 1, 2, 3, 10, 77};

Local<Channel<int>> full_channel(std::size_t capacity) {
  auto channel = make_channel<int>(capacity);
  for (std::size_t i = 0; i < capacity; ++i) channel->send(static_cast<int>(i));
  return channel;
}

TEST_P(GoChannel, ReceiveFromAnEmptyChannelWaits) {
  run_clean([] {
    for (const std::size_t capacity : kCapacities) {
      auto channel = make_channel<int>(capacity);
      std::atomic<int> started{0}, received{0};
      for (int i = 0; i < 2; ++i)
        go([=, &started, &received] {
          ++started;
          channel->receive();
          ++received;
        });
      ASSERT_TRUE(eventually([&] { return started == 2; }));
      let_others_run();
      EXPECT_EQ(received, 0) << "capacity " << capacity;
      EXPECT_EQ(channel->try_receive().status, TryReceived<int>::empty);
      EXPECT_EQ(select(on_receive(channel), otherwise()), 1u);
      channel->send(0);
      channel->send(0);
      ASSERT_TRUE(eventually([&] { return received == 2; }));
    }
  });
}

TEST_P(GoChannel, SendToAFullChannelWaits) {
  run_clean([] {
    for (const std::size_t capacity : kCapacities) {
      auto channel = full_channel(capacity);
      std::atomic<bool> started{false}, sent{false};
      go([=, &started, &sent] {
        started = true;
        channel->send(-1);
        sent = true;
      });
      ASSERT_TRUE(eventually([&] { return started.load(); }));
      let_others_run();
      EXPECT_FALSE(sent) << "capacity " << capacity;
      EXPECT_FALSE(channel->try_send(-2));
      EXPECT_EQ(select(on_send(channel, -2), otherwise()), 1u);
      channel->receive();
      ASSERT_TRUE(eventually([&] { return sent.load(); }));
    }
  });
}

TEST_P(GoChannel, AClosedChannelGivesWhatItHoldsThenNothing) {
  run_clean([] {
    for (const std::size_t capacity : kCapacities) {
      auto channel = full_channel(capacity);
      channel->close();
      for (std::size_t i = 0; i < capacity; ++i) ASSERT_EQ(channel->receive(), static_cast<int>(i));
      EXPECT_EQ(channel->receive(), std::nullopt);
      EXPECT_EQ(channel->receive(), std::nullopt);
    }
  });
}

TEST_P(GoChannel, CloseWakesAReceiver) {
  run_clean([] {
    for (const std::size_t capacity : kCapacities) {
      auto channel = make_channel<int>(capacity);
      auto found_closed = make_channel<bool>();
      go([=] { found_closed->send(!channel->receive().has_value()); });
      let_others_run();
      channel->close();
      EXPECT_EQ(found_closed->receive(), true);
    }
  });
}

TEST_P(GoChannel, ValuesArriveIntactAndInOrder) {
  run_clean([] {
    for (const std::size_t capacity : kCapacities) {
      auto channel = make_channel<int>(capacity);
      go([=] {
        for (int i = 0; i < 200; ++i) channel->send(i);
      });
      for (int i = 0; i < 200; ++i) ASSERT_EQ(channel->receive(), i) << "capacity " << capacity;
    }
  });
}

// Four goroutines send the same numbers, four receive: all in all each number has come four times.
TEST_P(GoChannel, EachValueReachesOneReceiver) {
  run_clean([] {
    constexpr int kGoroutines = 4;
    const int each = scaled(1000);
    for (const std::size_t capacity : kCapacities) {
      auto channel = make_channel<int>(capacity);
      std::vector<std::atomic<int>> received(each);
      WaitGroup group;
      for (int i = 0; i < kGoroutines; ++i) {
        group.go([=] {
          for (int value = 0; value < each; ++value) channel->send(value);
        });
        group.go([=, &received] {
          for (int count = 0; count < each; ++count) ++received[*channel->receive()];
        });
      }
      group.wait();
      for (const auto& count : received) ASSERT_EQ(count, int{kGoroutines});
    }
  });
}

TEST_P(GoChannel, SizeAndCapacityCountWhatIsBuffered) {
  run_clean([] {
    for (const std::size_t capacity : kCapacities) {
      auto channel = make_channel<int>(capacity);
      EXPECT_EQ(channel->capacity(), capacity);
      EXPECT_EQ(channel->size(), 0u);
      for (std::size_t i = 0; i < capacity; ++i) {
        channel->send(0);
        EXPECT_EQ(channel->size(), i + 1);
      }
      EXPECT_EQ(channel->capacity(), capacity);
    }
  });
}

// Go: makechan: size out of range.
TEST_P(GoChannel, CapacitiesOutOfRangeAreRefused) {
  run_clean([] {
    const auto make_with = [](std::size_t capacity) { static_cast<void>(make_channel<int>(capacity)); };
    EXPECT_THROW(make_with(static_cast<std::size_t>(-1)), std::length_error);
    EXPECT_THROW(make_with(std::size_t{1} << 59), std::length_error);
    EXPECT_THROW(make_with(std::numeric_limits<std::int64_t>::max()), std::length_error);
    using Large = std::array<char, 1 << 20>;
    EXPECT_THROW(static_cast<void>(make_channel<Large>(std::size_t{1} << 31)), std::bad_alloc) << "2 PiB";
    EXPECT_EQ(make_channel<int>(3)->capacity(), 3u) << "and the next one is made";
  });
}

// The value is there before the other goroutine looks and stays until one of the two has taken it; nothing but the
// close happens meanwhile, so nobody finds the channel open and empty.
TEST_P(GoChannel, ATryReceiveBesideACloseFindsTheValueOrTheClose) {
  run_clean([] {
    const int rounds = scaled(5000);
    std::atomic<int> found_empty{0};
    for (int round = 0; round < rounds; ++round) {
      auto channel = make_channel<int>(1);
      channel->send(1);
      WaitGroup group;
      group.go([=, &found_empty] { found_empty += channel->try_receive().status == TryReceived<int>::empty; });
      channel->close();
      channel->receive();
      group.wait();
    }
    EXPECT_EQ(found_empty, 0);
  });
}

// A pool of workers between a feeder and a consumer; some of them yield, which mixes the order up.
TEST_P(GoChannel, ManyConsumersLoseNothing) {
  constexpr int kWorkers = 23;
  constexpr std::array kNumbers = {2, 3, 7, 11, 13, 17, 19, 23, 27, 31};
  run_clean([&] {
    const int count = scaled(60'000);
    auto work = make_channel<int>(kWorkers * 3);
    auto results = make_channel<int>(kWorkers * 3);
    std::int64_t expected = 0;
    go([=, &expected] {
      WaitGroup workers;
      for (int worker = 0; worker < kWorkers; ++worker)
        workers.go([=] {
          for (int value : *work) {
            if (kNumbers[worker % kNumbers.size()] == value) yield();
            results->send(value);
          }
        });
      for (int i = 0; i < count; ++i) {
        const int value = kNumbers[i % kNumbers.size()];
        expected += value;
        work->send(value);
      }
      work->close();
      workers.wait();
      results->close();
    });
    int received = 0;
    std::int64_t sum = 0;
    for (int value : *results) {
      ++received;
      sum += value;
    }
    EXPECT_EQ(received, count);
    EXPECT_EQ(sum, expected);
  });
}

// The slot from which a waiting sender's value is taken lies on its stack, which is scanned meanwhile.
TEST_P(GoChannel, ABlockedSendOutlivesACollection) {
  run_poisoned([] {
    auto channel = make_channel<Member<String>>();
    constexpr int kCount = 10;
    go([=] {
      for (int i = 0; i < kCount; ++i) {
        channel->send(make_string("value " + std::to_string(i)));
        use_stack(20);
      }
      channel->close();
    });
    for (int i = 0; i < kCount; ++i) {
      sleep_for(1ms);  // until the sender has used its stack and waits again
      collect();
      const auto value = channel->receive();
      ASSERT_TRUE(value);
      EXPECT_EQ((*value)->view(), "value " + std::to_string(i));
    }
    EXPECT_FALSE(channel->receive());
  });
}

// Collections that meet goroutines on their way into and out of a park.
TEST_P(GoChannel, CollectionsMeetGoroutinesThatPark) {
  run_poisoned([] {
    const int rounds = scaled(60);
    for (int round = 0; round < rounds; ++round) {
      auto channel = make_channel<Member<String>>();
      WaitGroup group;
      group.go([=] {
        for (int i = 0; i < 10; ++i) {
          channel->send(make_string(std::to_string(i)));
          use_stack(20);
        }
      });
      group.go([=] {
        for (int i = 0; i < 10; ++i) {
          sleep_for(10us);
          EXPECT_EQ((*channel->receive())->view(), std::to_string(i));
        }
      });
      sleep_for(50us);
      collect();
      group.wait();
    }
  });
}

struct Answer {
  Member<String> text;
  int number;
  void trace(Visitor& visit) const { visit(text); }
};

// A reply that only the sender's stack has held is handed to the receiver's stack and must not be lost to a cycle.
void ask_many_times(bool by_select) {
  const int askers = 10, questions = scaled(3000);
  WaitGroup group;
  for (int asker = 0; asker < askers; ++asker)
    group.go([=] {
      for (int question = 0; question < questions; ++question) {
        auto answers = make_channel<Member<Answer>>();
        auto over = make_channel<bool>();
        go([=] {
          auto answer = make<Answer>(make_string("answer"), question);
          if (by_select)
            select(on_send(answers, answer), on_receive(over));
          else
            answers->send(answer);
        });
        Local<Answer> answer = *answers->receive();
        yield();
        static_cast<void>(make_array<char>(1024));
        ASSERT_EQ(answer->number, question);
        ASSERT_EQ(answer->text->view(), "answer");
      }
    });
  group.wait();
}

TEST_P(GoChannel, WhatIsSentSurvivesCollections) {
  run_poisoned([] {
    WaitGroup collector;
    std::atomic<bool> over{false};
    collector.go([&] {
      while (!over) collect();
    });
    ask_many_times(false);
    ask_many_times(true);
    over = true;
    collector.wait();
  });
}

TEST_P(GoChannel, BufferedValuesComeFirstInFirstOut) {
  run_clean([] {
    auto channel = full_channel(10);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(channel->receive(), i);
  });
}

// Each link lets the next one receive only after it has received itself: so the n-th gets the n-th value.
TEST_P(GoChannel, UnbufferedValuesComeFirstInFirstOut) {
  run_clean([] {
    constexpr int kLinks = 10;
    auto values = make_channel<int>();
    auto start = make_channel<int>(), before = start;
    for (int link = 0; link < kLinks; ++link) {
      auto after = make_channel<int>();
      go([=] {
        before->receive();
        EXPECT_EQ(values->receive(), link);
        after->send(1);
      });
      before = after;
    }
    start->send(0);
    for (int i = 0; i < kLinks; ++i) values->send(i);
    EXPECT_EQ(before->receive(), 1);
  });
}

TEST_P(GoChannel, AValuePassesThroughTenThousandGoroutines) {
  run_clean([] {
    const int links = scaled(10'000);
    auto leftmost = make_channel<int>(), left = leftmost;
    for (int link = 0; link < links; ++link) {
      auto right = make_channel<int>();
      go([=] { left->send(*right->receive() + 1); });
      left = right;
    }
    go([=] { left->send(1); });
    EXPECT_EQ(leftmost->receive(), links + 1);
  });
}

/// One value each way over a channel by operations that do not wait, tried until the other side is there.
template <class T>
void try_both_ways(std::size_t capacity, const T& there, const T& back) {
  auto channel = make_channel<T>(capacity);
  auto strobe = make_channel<bool>();
  EXPECT_EQ(channel->try_receive().status, TryReceived<T>::empty);
  EXPECT_EQ(select(on_receive(channel), otherwise()), 1u);

  go([=] {
    EXPECT_EQ(channel->receive(), there);
    strobe->send(true);
  });
  EXPECT_TRUE(eventually([&] { return channel->try_send(there); }));
  strobe->receive();

  go([=] {
    channel->send(back);
    strobe->send(true);
  });
  if (capacity > 0) strobe->receive();
  std::optional<T> received;
  EXPECT_TRUE(eventually([&] {
    return select(on_receive(channel, [&](std::optional<T> value) { received = value; }), otherwise()) == 0;
  }));
  EXPECT_EQ(received, back);
  if (capacity == 0) strobe->receive();
}

TEST_P(GoChannel, TryOperationsWithElementsOfSeveralSizes) {
  run_clean([] {
    for (std::size_t capacity : {0, 1}) {
      try_both_ways<std::int32_t>(capacity, 123, 234);
      try_both_ways<std::int64_t>(capacity, 123'456, std::int64_t{234'567} << 20);
      try_both_ways<bool>(capacity, true, false);
      try_both_ways<std::string>(capacity, "hello", "hello again, and so long that it is on the heap");
    }
  });
}

struct Nothing {};

TEST_P(GoChannel, ElementsMayBeEmpty) {
  run_clean([] {
    for (std::size_t capacity : {0, 1}) {
      auto nothings = make_channel<Nothing>(capacity);
      auto arrays = make_channel<std::array<char, 0>>(capacity);
      auto units = make_channel<std::monostate>(capacity);
      go([=] {
        nothings->send({});
        arrays->send({});
        units->send({});
        units->close();
      });
      EXPECT_TRUE(nothings->receive());
      EXPECT_TRUE(arrays->receive());
      EXPECT_TRUE(units->receive());
      EXPECT_FALSE(units->receive());
    }
  });
}

TEST_P(GoChannel, ChannelsTravelOverChannels) {
  run_clean([] {
    auto channels = make_channel<Member<Channel<int>>>(1);
    auto channel = make_channel<int>(1);
    channels->send(channel);
    EXPECT_EQ(select(on_send(*channels->receive(), 2), otherwise()), 0u);
    EXPECT_EQ(channel->receive(), 2);
  });
}

// -- Every way to receive from and send to a closed channel.

using Receive = std::optional<int> (*)(const Local<Channel<int>>&);
using Send = void (*)(const Local<Channel<int>>&);

const Receive kReceives[] = {
    [](const Local<Channel<int>>& channel) { return channel->receive(); },
    [](const Local<Channel<int>>& channel) {
      const auto received = channel->try_receive();
      EXPECT_NE(received.status, TryReceived<int>::empty);
      return received.value;
    },
    [](const Local<Channel<int>>& channel) {
      std::optional<int> received;
      EXPECT_EQ(select(on_receive(channel, [&](std::optional<int> value) { received = value; })), 0u);
      return received;
    },
    [](const Local<Channel<int>>& channel) {
      std::optional<int> received;
      EXPECT_EQ(select(otherwise(), on_receive(channel, [&](std::optional<int> value) { received = value; })), 1u);
      return received;
    },
    [](const Local<Channel<int>>& channel) {
      std::optional<int> received;
      auto never = make_channel<bool>();
      const auto keep = [&](std::optional<int> value) { received = value; };
      EXPECT_EQ(select(on_receive(never), on_receive(channel, keep)), 1u);
      return received;
    },
    [](const Local<Channel<int>>& channel) {
      std::optional<int> received;
      auto never = make_channel<bool>();
      const auto keep = [&](std::optional<int> value) { received = value; };
      EXPECT_EQ(select(on_receive(never), otherwise(), on_receive(channel, keep)), 2u);
      return received;
    },
};

const Send kSends[] = {
    [](const Local<Channel<int>>& channel) { channel->send(1); },
    [](const Local<Channel<int>>& channel) { static_cast<void>(channel->try_send(1)); },
    [](const Local<Channel<int>>& channel) { select(on_send(channel, 1)); },
    [](const Local<Channel<int>>& channel) { select(otherwise(), on_send(channel, 1)); },
    [](const Local<Channel<int>>& channel) { select(on_receive(make_channel<bool>()), on_send(channel, 1)); },
    [](const Local<Channel<int>>& channel) {
      select(on_receive(make_channel<bool>()), otherwise(), on_send(channel, 1));
    },
};

void expect_closed(const Local<Channel<int>>& channel) {
  for (int round = 0; round < 3; ++round)
    for (const Receive receive : kReceives) EXPECT_EQ(receive(channel), std::nullopt);
  for (const Send send : kSends) {
    EXPECT_THROW(send(channel), ChannelClosed);
    EXPECT_EQ(channel->receive(), std::nullopt) << "what was sent in vain is lost";
  }
  EXPECT_THROW(channel->close(), ChannelClosed);
}

TEST_P(GoChannel, AClosedChannelIsReadyForEveryKindOfReceiveAndRefusesEveryKindOfSend) {
  run_clean([] {
    auto unbuffered = make_channel<int>();
    unbuffered->close();
    expect_closed(unbuffered);
    for (const Receive receive_last : kReceives) {
      auto buffered = make_channel<int>(2);
      buffered->send(1);
      buffered->close();
      EXPECT_EQ(receive_last(buffered), 1);
      expect_closed(buffered);
    }
  });
}

// Goroutines that wait at one common channel and one of their own each, and are woken over the latter, leave the middle
// of the common queue, in whatever order; what is left of the queue still works. That none of them walks it: in
// tests/sched/wait_queue_test.cpp.
TEST_P(GoChannel, WaitersLeaveTheMiddleOfALongQueue) {
  run_clean([] {
    const int count = scaled(10000, 100);
    constexpr int kMessages = 5;
    auto common = make_channel<bool>();
    std::vector<Persistent<Channel<bool>>> own;
    std::atomic<int> over_common = 0, over_own = 0;
    WaitGroup group;
    for (int i = 0; i < count; ++i) {
      auto channel = make_channel<bool>();
      own.emplace_back(channel);
      group.go([=, &over_common, &over_own] {
        for (int message = 0; message < kMessages; ++message)
          select(on_receive(common, [&](std::optional<bool>) { ++over_common; }),
                 on_receive(channel, [&](std::optional<bool>) { ++over_own; }));
      });
    }
    for (int turn = 0; turn < 3; ++turn) yield();
    for (int message = 1; message < kMessages; ++message)
      for (const auto& channel : own) channel->send(true);
    for (int i = 0; i < count; ++i) common->send(true);
    group.wait();
    EXPECT_EQ(over_common, count);
    EXPECT_EQ(over_own, (kMessages - 1) * count);
  });
}

// Go waits for ever at a nil channel and panics at its close. A reference that may be null is good for select only.
TEST(GoChannelDeathTest, UsesOfANullChannelAreFatalErrors) {
  const auto with_null = [](void (*use)(const Local<Channel<int>>&)) {
    Options options;
    options.processors = 1;
    tandem::run(options, [&] { use(nullptr); });
  };
  const testing::ExitedWithCode exits(2);
  EXPECT_EXIT(with_null([](const auto& channel) { channel->send(7); }), exits, "null");
  EXPECT_EXIT(with_null([](const auto& channel) { channel->receive(); }), exits, "null");
  EXPECT_EXIT(with_null([](const auto& channel) { channel->close(); }), exits, "null");
}

}  // namespace
}  // namespace tandem
