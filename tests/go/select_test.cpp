// What Go's runtime/chan_test.go and test/chan check of select.
#include "tests/go/go_test.h"

#include <array>
#include <cmath>
#include <string>
#include <vector>

namespace tandem {
namespace {

using namespace test;

class GoSelect : public GoTest {};
TANDEM_ON_PROCESSORS(GoSelect);

using Ints = Local<Channel<int>>;

// At every moment one of the two is ready: the first before the other goroutine starts, the second before the first is
// drained. A select that looked at them one after another could miss both.
void look_while_readiness_moves(bool by_close) {
  auto found = make_channel<bool>(1);
  const int rounds = scaled(10'000);
  for (int round = 0; round < rounds; ++round) {
    auto first = make_channel<int>(1), second = make_channel<int>(by_close ? 0 : 1);
    first->send(1);
    go([=] { found->send(select(on_receive(first), on_receive(second), otherwise()) != 2); });
    if (by_close)
      second->close();
    else
      second->send(1);
    select(on_receive(first), otherwise());
    ASSERT_EQ(found->receive(), true) << "round " << round;
  }
}

TEST_P(GoSelect, SeesAllChannelsAtOneMomentWhileASendMovesOn) {
  run_clean([] { look_while_readiness_moves(false); });
}

TEST_P(GoSelect, SeesAllChannelsAtOneMomentWhileAnotherIsClosed) {
  run_clean([] { look_while_readiness_moves(true); });
}

// Both goroutines offer both directions on one channel, in both orders of the cases.
TEST_P(GoSelect, BothDirectionsOfOneChannelInOneSelect) {
  run_clean([] {
    const int rounds = scaled(2000);
    for (std::size_t capacity : {0, 10}) {
      auto channel = make_channel<int>(capacity);
      std::atomic<int> met_itself{0};
      WaitGroup group;
      for (int me = 0; me < 2; ++me)
        group.go([=, &met_itself] {
          const auto look = [&](std::optional<int> value) { met_itself += capacity == 0 && *value == me; };
          for (int round = 0; round < rounds; ++round)
            if (me == 0 || round % 2 == 0)
              select(on_send(channel, me), on_receive(channel, look));
            else
              select(on_receive(channel, look), on_send(channel, me));
        });
      group.wait();
      EXPECT_EQ(met_itself, 0);
    }
  });
}

// For each of four channels a goroutine that sends and one that receives N values; besides, one that sends N on each by
// select and one that receives N of each. As many are sent as received, so all end.
TEST_P(GoSelect, PlainOperationsAndSelectsMeetInAllCombinations) {
  run_clean([] {
    const int each = scaled(5000);
    const std::array<Ints, 4> channels = {make_channel<int>(), make_channel<int>(), make_channel<int>(2),
                                          make_channel<int>(3)};
    WaitGroup group;
    for (const Ints& channel : channels) {
      group.go([=] {
        for (int i = 0; i < each; ++i) channel->send(0);
      });
      group.go([=] {
        for (int i = 0; i < each; ++i) EXPECT_EQ(channel->receive(), 0);
      });
    }
    group.go([=] {
      auto open = channels;
      int sent[4] = {};
      for (int i = 0; i < 4 * each; ++i) {
        const std::size_t taken =
            3 - select(on_send(open[3], 0), on_send(open[2], 0), on_send(open[1], 0), on_send(open[0], 0));
        if (++sent[taken] == each) open[taken] = nullptr;
      }
    });
    group.go([=] {
      auto open = channels;
      int received[4] = {};
      for (int i = 0; i < 4 * each; ++i) {
        const std::size_t taken =
            select(on_receive(open[0]), on_receive(open[1]), on_receive(open[2]), on_receive(open[3]));
        if (++received[taken] == each) open[taken] = nullptr;
      }
    });
    group.wait();
    for (const Ints& channel : channels) EXPECT_EQ(channel->size(), 0u);
  });
}

// Two of four cases are always ready. Six standard deviations: exceeded by chance once in 500 million runs.
TEST_P(GoSelect, IsFairAmongReadyCases) {
  run_clean([] {
    const int trials = scaled(10'000);
    auto ones = make_channel<char>(trials + 1), twos = make_channel<char>(trials + 1);
    for (int i = 0; i <= trials; ++i) {
      ones->send(1);
      twos->send(2);
    }
    auto never = make_channel<char>(), neither = make_channel<char>();
    auto out = make_channel<char>();
    auto over = make_channel<bool>();
    WaitGroup group;
    group.go([=] {
      for (bool done = false; !done;) {
        char value = 0;
        const auto keep = [&](std::optional<char> received) { value = *received; };
        select(on_receive(never, keep), on_receive(neither, keep), on_receive(ones, keep), on_receive(twos, keep));
        select(on_send(out, value), on_receive(over, [&](auto) { done = true; }));
      }
    });
    int count[3] = {};
    for (int i = 0; i < trials; ++i) ++count[static_cast<int>(*out->receive())];
    over->close();
    group.wait();
    EXPECT_EQ(count[0], 0);
    EXPECT_LT(std::abs(static_cast<double>(count[1]) / trials - 0.5), 6 / (2 * std::sqrt(trials)))
        << count[1] << " and " << count[2];
  });
}

// The same two sends to one channel, where a receiver waits or there is room: each is chosen at random. Fewer than 10
// of 100 by chance: once in 10^17 times.
TEST_P(GoSelect, ChoosesAtRandomBetweenSendsToOneChannel) {
  run_clean([] {
    constexpr int kCount = 100;
    for (std::size_t capacity : {0, kCount}) {
      auto channel = make_channel<int>(capacity);
      int received[2] = {};
      WaitGroup group;
      group.go([=, &received] {
        for (int i = 0; i < kCount; ++i) {
          yield();
          ++received[*channel->receive()];
        }
      });
      for (int i = 0; i < kCount; ++i) select(on_send(channel, 1), on_send(channel, 0));
      group.wait();
      EXPECT_GT(received[0], kCount / 10);
      EXPECT_GT(received[1], kCount / 10);
    }
  });
}

TEST_P(GoSelect, ChoosesAtRandomBetweenReceivesFromOneChannel) {
  run_clean([] {
    constexpr int kCount = 100;
    for (std::size_t capacity : {0, kCount}) {
      auto channel = make_channel<int>(capacity), never = make_channel<int>();
      int taken[3] = {};
      WaitGroup group;
      group.go([=, &taken] {
        for (int i = 0; i < kCount; ++i) ++taken[select(on_receive(channel), on_receive(never), on_receive(channel))];
      });
      for (int i = 0; i < kCount; ++i) {
        yield();
        channel->send(i);
      }
      group.wait();
      EXPECT_GT(taken[0], kCount / 10);
      EXPECT_EQ(taken[1], 0);
      EXPECT_GT(taken[2], kCount / 10);
    }
  });
}

// One goroutine waits twice at `twice`, then another one. The first leaves over `way_out` and must take out both of
// its places and no others.
TEST_P(GoSelect, MayWaitAtOneChannelMoreThanOnce) {
  run_clean([] {
    auto twice = make_channel<int>(), way_out = make_channel<int>(), left = make_channel<int>();
    std::atomic<int> received{0};
    go([=] {
      EXPECT_EQ(select(on_receive(twice), on_receive(twice), on_receive(way_out)), 2u);
      left->send(9);
    });
    let_others_run();
    go([=, &received] { received = *twice->receive(); });
    let_others_run();
    way_out->send(7);
    EXPECT_EQ(left->receive(), 9);
    twice->send(8);
    EXPECT_TRUE(eventually([&] { return received == 8; }));
  });
}

// References that a waiting select has on its stack, beside the slots into which it receives, through a collection.
TEST_P(GoSelect, WhatAWaitingSelectHoldsOutlivesACollection) {
  run_poisoned([] {
    auto values = make_channel<Member<String>>(), others = make_channel<Member<String>>();
    auto ready = make_channel<bool>(), over = make_channel<bool>();
    const auto wait_for_close = [=](bool twice) {
      use_stack(10);
      ready->send(true);
      Local<String> own = make_string("own"), seen = own;
      const auto keep = [&](std::optional<Local<String>> value) { seen = *value; };
      Local<Channel<Member<String>>> again = twice ? values : nullptr, other_again = twice ? others : nullptr;
      select(on_receive(values, keep), on_receive(again), on_receive(others), on_receive(other_again));
      EXPECT_EQ(seen, own);
      EXPECT_EQ(own->view(), "own");
      over->send(true);
    };
    for (bool twice : {false, true}) go([=] { wait_for_close(twice); });
    ready->receive();
    ready->receive();
    sleep_for(3ms);
    collect();
    others->close();
    over->receive();
    over->receive();
  });
}

// A value that is offered and not taken is destroyed, and what lies in the channel stays.
TEST_P(GoSelect, SendsThatAreNotTakenHaveNoEffect) {
  run_clean([] {
    auto channel = make_channel<Member<String>>(1);
    auto text = make_string("first");
    channel->send(text);
    EXPECT_EQ(select(on_send(channel, text), otherwise()), 1u);
    EXPECT_EQ(select(on_send(channel, text), on_send(channel, make_string("second")), otherwise()), 2u);
    EXPECT_EQ(channel->size(), 1u);
    EXPECT_EQ(*channel->receive(), text);
  });
}

// Operands of all cases are evaluated once for each select, those of null channels too.
TEST_P(GoSelect, OperandsAreEvaluatedOnceForEachCase) {
  run_clean([] {
    unsigned evaluated = 0, shift = 0;
    const auto next = [&] {
      ++evaluated;
      return 1u << shift;
    };
    using Channels = Local<Channel<unsigned>>;
    const auto send_to_both = [&](Channels a, Channels b) {
      int sent = 0;
      for (bool over = false; !over;) {
        switch (select(on_send(a, next()), on_send(b, next()), otherwise())) {
          case 0: a = nullptr; break;
          case 1: b = nullptr; break;
          default: over = true;
        }
        sent += !over;
        shift += !over;
      }
      return sent;
    };
    auto a = make_channel<unsigned>(1), b = make_channel<unsigned>(1);
    EXPECT_EQ(send_to_both(a, b), 2);
    EXPECT_EQ(*a->receive() | *b->receive(), 3u);
    EXPECT_EQ(send_to_both(a, nullptr), 1);
    EXPECT_EQ(evaluated, 10u);
  });
}

void select_many_times(int count) {
  auto channel = make_channel<int>(), dummy = make_channel<int>();
  go([=] {
    for (int i = 0; i < count; ++i) channel->send(1);
  });
  for (int i = 0; i < count; ++i) ASSERT_EQ(select(on_receive(channel), on_receive(dummy)), 0u);
}

TEST_P(GoSelect, LeavesNoMemoryBehind) {
  run_clean([] {
    const int count = scaled(50'000);
    const auto live_after_selects = [&] {
      select_many_times(count);
      collect();
      return heap_statistics();
    };
    const HeapStatistics warm = live_after_selects(), later = live_after_selects();
    EXPECT_LE(later.live_bytes, warm.live_bytes + 100'000);
    EXPECT_LE(later.allocated_bytes, warm.allocated_bytes + 100'000) << "select does not allocate";
  });
}

// -- What waits and what does not.

TEST_P(GoSelect, WithoutAReadyCaseItWaits) {
  run_and_cancel([] {
    const Ints null;
    auto channel = make_channel<int>();
    EXPECT_TRUE(waits([] { select(); }));
    EXPECT_TRUE(waits([=] { select(on_receive(null)); }));
    EXPECT_TRUE(waits([=] { select(on_send(null, 7)); }));
    EXPECT_TRUE(waits([=] { select(on_receive(null), on_send(null, 7)); }));
    EXPECT_TRUE(waits([=] { select(on_receive(channel)); }));
    EXPECT_TRUE(waits([=] { select(on_send(make_channel<int>(), 1)); }));
    EXPECT_TRUE(waits([] {
      auto itself = make_channel<int>();
      select(on_send(itself, 1), on_receive(itself));
    }));
    EXPECT_TRUE(waits([] { make_channel<int>()->receive(); }));
    EXPECT_FALSE(waits([] {})) << "or the others would say nothing";
  });
}

TEST_P(GoSelect, WithAReadyCaseOrOtherwiseItDoesNotWait) {
  run_clean([] {
    const Ints null;
    auto closed = make_channel<int>(), room = make_channel<int>(1);
    closed->close();
    EXPECT_EQ(select(on_send(null, 7), otherwise()), 1u);
    EXPECT_EQ(select(on_receive(null), otherwise()), 1u);
    EXPECT_EQ(select(otherwise()), 0u);
    room->send(1);
    EXPECT_EQ(room->receive(), 1);
    EXPECT_EQ(select(on_send(room, 7), otherwise()), 0u);
    EXPECT_EQ(select(on_receive(room), otherwise()), 0u);
    for (int i = 0; i < 10; ++i) {
      EXPECT_EQ(closed->receive(), std::nullopt);
      EXPECT_EQ(select(on_receive(closed)), 0u);
    }
    EXPECT_THROW(closed->send(7), ChannelClosed);
    EXPECT_THROW(select(on_send(closed, 7)), ChannelClosed);
  });
}

TEST_P(GoSelect, OnlyTheHandlerOfTheCaseTakenRuns) {
  run_clean([] {
    auto ready = make_channel<int>(1), never = make_channel<int>();
    ready->send(42);
    int got = 0;
    select(on_receive(never, [](auto) { ADD_FAILURE(); }), on_receive(ready, [&](auto value) { got = *value; }));
    EXPECT_EQ(got, 42);
  });
}

// -- Every combination of cases around the one that can go on. Go generates 1,000 such programs; here the case lists
// are built at run time.

/// Adds the cases that `chosen` has a bit for; none of them is ever ready.
void add_cases_never_ready(Selector& selector, unsigned chosen, const Ints& dummy) {
  const Ints null;
  const auto never = [] { ADD_FAILURE() << "a case was taken that cannot be ready"; };
  const auto never_received = [never](std::optional<int>) { never(); };
  if (chosen & 1) selector.on_send(dummy, 1, never);
  if (chosen & 2) selector.on_receive(dummy, never_received);
  if (chosen & 4) selector.on_send(null, 1, never);
  if (chosen & 8) selector.on_receive(null, never_received);
}

enum class Default { none, first, last };

TEST_P(GoSelect, TheReadyCaseIsTakenWhateverStandsAroundIt) {
  run_clean([] {
    auto channel = make_channel<int>(1), dummy = make_channel<int>();
    int value = 0;
    for (const Default place : {Default::none, Default::first, Default::last})
      for (unsigned before = 0; before < 16; ++before)
        for (unsigned after = 0; after < 16; ++after)
          for (const bool sends : {false, true}) {
            ++value;
            int received = 0, defaults = 0;
            Selector selector;
            if (place == Default::first) selector.otherwise([&] { ++defaults; });
            add_cases_never_ready(selector, before, dummy);
            const std::size_t index = selector.size();
            if (sends) {
              selector.on_send(channel, value);
            } else {
              channel->send(value);
              selector.on_receive(channel, [&](std::optional<int> each) { received = *each; });
            }
            add_cases_never_ready(selector, after, dummy);
            if (place == Default::last) selector.otherwise([&] { ++defaults; });
            ASSERT_EQ(selector.select(), index);
            if (sends) received = *channel->receive();
            ASSERT_EQ(received, value);
            ASSERT_EQ(defaults, 0);
          }
  });
}

TEST_P(GoSelect, OtherwiseIsTakenWhateverStandsAroundIt) {
  run_clean([] {
    auto dummy = make_channel<int>();
    for (unsigned before = 0; before < 16; ++before)
      for (unsigned after = 0; after < 16; ++after) {
        int defaults = 0;
        Selector selector;
        add_cases_never_ready(selector, before, dummy);
        const std::size_t index = selector.size();
        selector.otherwise([&] { ++defaults; });
        add_cases_never_ready(selector, after, dummy);
        ASSERT_EQ(selector.select(), index);
        ASSERT_EQ(defaults, 1);
      }
  });
}

// A select that was the last in a queue leaves it by another case; whoever waits there later is still woken.
TEST_P(GoSelect, TheLastInAQueueLeavesItIntact) {
  run_clean([] {
    auto queue = make_channel<bool>(), other = make_channel<bool>(), left = make_channel<bool>();
    std::atomic<int> received{0};
    go([=, &received] { received += queue->receive().has_value(); });
    let_others_run();
    go([=, &received] {
      EXPECT_EQ(select(on_receive(queue), on_receive(other)), 1u);
      left->send(true);
      received += queue->receive().has_value();
    });
    let_others_run();
    go([=] { other->send(true); });
    left->receive();
    queue->send(true);
    queue->send(true);
    EXPECT_TRUE(eventually([&] { return received == 2; }));
  });
}

TEST_P(GoSelect, ReceivedValuesMayBeDropped) {
  using Operation = void (*)(const Ints&);
  const Operation receives[] = {
      [](const Ints& channel) { channel->receive(); },
      [](const Ints& channel) { select(on_receive(channel)); },
      [](const Ints& channel) { select(on_receive(channel), on_receive(make_channel<int>())); },
  };
  const Operation sends[] = {
      [](const Ints& channel) { channel->send(1); },
      [](const Ints& channel) { select(on_send(channel, 1)); },
      [](const Ints& channel) { select(on_send(channel, 1), on_send(make_channel<int>(), 1)); },
  };
  run_clean([&] {
    for (const Operation send : sends)
      for (const Operation receive : receives) {
        auto channel = make_channel<int>();
        WaitGroup group;
        group.go([=] { receive(channel); });
        yield();
        send(channel);
        group.wait();
      }
  });
}

// Selects with one, two and three cases, which a compiler or library may treat specially.
TEST_P(GoSelect, TakesEachNumberOfCases) {
  run_and_cancel([] {
    auto fives = make_channel<int>();
    go([=] {
      for (;;) fives->send(5);
    });
    int sum = 0;
    const auto add = [&](std::optional<int> value) { sum += *value; };
    EXPECT_EQ(select(on_receive(fives, add)), 0u);
    EXPECT_EQ(select(otherwise([&] { sum += 100; })), 0u);
    while (select(on_receive(fives, add), otherwise()) != 0) yield();
    while (select(on_receive(fives, add), on_send(fives, 10, [] { ADD_FAILURE(); }), otherwise()) != 0) yield();
    EXPECT_EQ(sum, 115);
  });
}

// If two cases of one select both went on, a number would arrive twice.
TEST_P(GoSelect, TakesOneCaseOnly) {
  run_clean([] {
    const int count = scaled(20'000);
    const std::array<Ints, 4> channels = {make_channel<int>(), make_channel<int>(), make_channel<int>(),
                                          make_channel<int>()};
    auto merged = make_channel<int>();
    go([=] {
      for (int i = 0; i < count; ++i)
        select(on_send(channels[0], i), on_send(channels[1], i), on_send(channels[2], i), on_send(channels[3], i));
      for (const Ints& channel : channels) channel->close();
    });
    go([=] {
      WaitGroup forwarders;
      for (const Ints& channel : channels)
        forwarders.go([=] {
          for (int value : *channel) merged->send(value);
        });
      forwarders.wait();
      merged->close();
    });
    std::vector<int> seen(count);
    for (int value : *merged) ++seen[value];
    EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), count);
  });
}

}  // namespace
}  // namespace tandem
