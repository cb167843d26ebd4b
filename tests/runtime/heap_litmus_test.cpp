// Litmus tests: what crosses stacks while a cycle is under way. In each of them the only reference to an object passes by a
// way on which no ordinary barrier lies, from a stack that the collector may not have scanned yet to one that it has. If
// nobody shades it, the object is freed although it is in use; poison then breaks its canary.
//
// A goroutine collects without pause meanwhile. What was received is kept for a while (kKept of them), because a lost object
// is freed only when the cycle in which it was lost has ended.
#include "tests/runtime/heap_test.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <mutex>
#include <vector>

namespace {

using tandem::Local;
using tandem::make;
using tandem::Member;
using tandem_test::Canary;

constexpr std::uint64_t kIterations = 10'000;
constexpr std::chrono::seconds kTimeLimit{4};
constexpr std::size_t kKept = 64;

/// The last kKept objects that a goroutine got, on its stack; each is looked at once more before it goes.
class Kept {
 public:
  void add(Local<Canary> canary, std::uint64_t number) {
    ASSERT_TRUE(canary->is(number)) << "lost on the way: " << number;
    Local<Canary>& oldest = kept_[next_++ % kKept];
    ASSERT_TRUE(!oldest || oldest->alive()) << "lost while it was kept";
    oldest = std::move(canary);
  }
  void check() const {
    for (const Local<Canary>& canary : kept_) ASSERT_TRUE(!canary || canary->alive()) << "lost while it was kept";
  }

 private:
  std::array<Local<Canary>, kKept> kept_;
  std::size_t next_ = 0;
};

/// Random yields, so that the steps of a cycle fall between different steps of the goroutines.
class Jitter {
 public:
  explicit Jitter(std::uint64_t seed) : random_(seed) {}
  void operator()() {
    if (random_() % 8 == 0) tandem::yield();
  }
  bool coin() { return random_() % 2 == 0; }
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

 private:
  std::mt19937_64 random_;
};

class HeapLitmusTest : public tandem_test::HeapTest {
 protected:
  std::uint64_t seed() const { return 7919u * processors(); }

  /// Runs `body(jitter, go_on)` while a goroutine collects in a loop. `go_on(i)` is false after kIterations, or when the
  /// time is over (sanitizers, slow machines); at least a hundred iterations are made.
  template <class Body>
  void run_while_collecting(Body body) {
    SCOPED_TRACE("seed " + std::to_string(seed()));
    std::uint64_t cycles = 0;
    std::atomic<std::uint64_t> iterations{0};
    run([&] {
      std::atomic<bool> stop{false};
      tandem::WaitGroup group;
      group.go([&] {
        while (!stop) tandem::collect();
      });
      const auto deadline = std::chrono::steady_clock::now() + kTimeLimit;
      Jitter jitter(seed());
      body(jitter, [&, deadline](std::uint64_t i) {
        iterations = i;
        return i < kIterations && (i < 100 || i % 64 != 0 || std::chrono::steady_clock::now() < deadline) && !HasFatalFailure();
      });
      stop = true;
      group.wait();
      cycles = tandem::statistics().cycles;
    });
    RecordProperty("iterations", static_cast<int>(iterations));
    RecordProperty("cycles", static_cast<int>(cycles));
    EXPECT_GT(cycles, 3u) << "hardly anything was collected meanwhile: the test shows nothing";
  }
};
TANDEM_TEST_OVER_PROCESSORS(HeapLitmusTest);

// A value handed directly from a sender to a waiting receiver; the sender forgets it at once.
TEST_P(HeapLitmusTest, DirectHandOffOverAnUnbufferedChannel) {
  run_while_collecting([this](Jitter& jitter, auto go_on) {
    auto channel = tandem::make_channel<Member<Canary>>();
    tandem::WaitGroup group;
    group.go([=, this] {
      Jitter receiver_jitter(seed() + 1);
      Kept kept;
      std::uint64_t expected = 0;
      for (Local<Canary> canary : *channel) {
        kept.add(std::move(canary), expected++);
        receiver_jitter();
      }
      kept.check();
    });
    for (std::uint64_t i = 0; go_on(i); ++i) {
      channel->send(make<Canary>(i));
      jitter();
    }
    channel->close();
    group.wait();
  });
}

// The same the other way round: the sender waits, the receiver takes the value from its stack.
TEST_P(HeapLitmusTest, AWaitingSendersValueIsTaken) {
  run_while_collecting([this](Jitter& jitter, auto go_on) {
    auto channel = tandem::make_channel<Member<Canary>>();
    tandem::WaitGroup senders;
    std::atomic<bool> stop{false};
    std::atomic<int> sending{4};
    for (std::uint64_t sender = 0; sender < 4; ++sender)
      senders.go([&, channel, sender] {
        Jitter sender_jitter(seed() + sender);
        for (std::uint64_t i = 0; !stop; ++i) {
          channel->send(make<Canary>(i * 4 + sender));
          sender_jitter();
        }
        --sending;
      });
    Kept kept;
    std::array<std::uint64_t, 4> next{};
    for (std::uint64_t i = 0; go_on(i); ++i) {
      Local<Canary> canary = *channel->receive();
      const std::uint64_t sender = canary->value % 4;
      kept.add(std::move(canary), next[sender]++ * 4 + sender);
      jitter();
    }
    stop = true;
    for (; sending != 0; tandem::yield()) static_cast<void>(channel->try_receive());
    senders.wait();
    kept.check();
  });
}

TEST_P(HeapLitmusTest, ThroughABufferedChannelAndSelect) {
  run_while_collecting([this](Jitter& jitter, auto go_on) {
    auto buffered = tandem::make_channel<Member<Canary>>(16);
    auto direct = tandem::make_channel<Member<Canary>>();
    tandem::WaitGroup group;
    group.go([=, this] {
      Jitter receiver_jitter(seed() + 1);
      Kept kept;
      for (bool open = true; open;) {
        tandem::select(tandem::on_receive(buffered,
                                          [&](std::optional<Local<Canary>> canary) {
                                            if (canary) kept.add(*canary, canary->raw()->value);
                                            open = canary.has_value();
                                          }),
                       tandem::on_receive(direct, [&](std::optional<Local<Canary>> canary) {
                         kept.add(*canary, (*canary)->value);
                       }));
        receiver_jitter();
      }
      kept.check();
    });
    for (std::uint64_t i = 0; go_on(i); ++i) {
      if (jitter.coin())
        buffered->send(make<Canary>(i));
      else
        tandem::select(tandem::on_send(direct, make<Canary>(i)));
      jitter();
    }
    buffered->close();
    group.wait();
  });
}

// The closure of a new goroutine holds the only reference.
TEST_P(HeapLitmusTest, ClosureOfANewGoroutine) {
  run_while_collecting([this](Jitter& jitter, auto go_on) {
    tandem::WaitGroup group;
    tandem::Semaphore running(100);
    for (std::uint64_t i = 0; go_on(i); ++i) {
      running.acquire();
      group.go([&running, canary = make<Canary>(i), i, seed = seed()] {
        Jitter child_jitter(seed + i);
        EXPECT_TRUE(canary->is(i));
        for (int step = 0; step < 4; ++step) child_jitter();
        const Local<Canary> copy = canary;
        tandem::yield();
        EXPECT_TRUE(copy->is(i));
        running.release();
      });
      jitter();
    }
    group.wait();
  });
}

// What a new goroutine's closure holds was read from the heap, where it is overwritten at once.
TEST_P(HeapLitmusTest, ClosureWithWhatTheHeapForgets) {
  run_while_collecting([this](Jitter& jitter, auto go_on) {
    Local<Canary> holder = make<Canary>(0u);
    tandem::WaitGroup group;
    tandem::Semaphore running(100);
    for (std::uint64_t i = 0; go_on(i); ++i) {
      running.acquire();
      holder->next = make<Canary>(i);
      jitter();
      group.go([&running, canary = holder->next.get(), i] {
        tandem::yield();
        EXPECT_TRUE(canary->is(i));
        running.release();
      });
      holder->next = nullptr;
    }
    group.wait();
  });
}

// A Local captured by reference is written by another goroutine.
TEST_P(HeapLitmusTest, ALocalOnAnotherStackIsWritten) {
  run_while_collecting([this](Jitter& jitter, auto go_on) {
    auto requests = tandem::make_channel<std::uint64_t>();
    auto replies = tandem::make_channel<int>();
    Local<Canary> slot;
    tandem::WaitGroup group;
    group.go([&slot, requests, replies, this] {
      Jitter writer_jitter(seed() + 1);
      for (std::uint64_t i : *requests) {
        Local<Canary> fresh = make<Canary>(i);
        writer_jitter();
        slot = fresh;
        fresh = nullptr;
        replies->send(0);
      }
    });
    Kept kept;
    for (std::uint64_t i = 0; go_on(i); ++i) {
      requests->send(i);
      replies->receive();
      kept.add(slot, i);
      slot = nullptr;
      jitter();
    }
    requests->close();
    group.wait();
    kept.check();
  });
}

TEST_P(HeapLitmusTest, AResultIsWrittenToTheParentsStack) {
  run_while_collecting([this](Jitter& jitter, auto go_on) {
    Kept kept;
    for (std::uint64_t i = 0; go_on(i); ++i) {
      Local<Canary> left;
      Local<Canary> right;
      tandem::WaitGroup group;
      group.go([&left, i] { left = make<Canary>(2 * i); });
      group.go([&right, i] { right = make<Canary>(make<Canary>(2 * i), 2 * i + 1); });
      group.wait();
      ASSERT_TRUE(right->next->is(2 * i));
      kept.add(left, 2 * i);
      kept.add(right, 2 * i + 1);
      jitter();
    }
    kept.check();
  });
}

// A goroutine reads a Member through a Local on another stack, whose owner then drops it: the read value must be shaded,
// because the reader's stack may have been scanned and the owner's not.
TEST_P(HeapLitmusTest, AMemberIsReadThroughALocalOnAnotherStack) {
  run_while_collecting([this](Jitter& jitter, auto go_on) {
    auto turns = tandem::make_channel<std::uint64_t>();
    auto replies = tandem::make_channel<int>();
    Local<Canary> owner;
    tandem::WaitGroup group;
    group.go([&owner, turns, replies, this] {
      Jitter reader_jitter(seed() + 1);
      Kept kept;
      for (std::uint64_t i : *turns) {
        Local<Canary> read = owner->next;
        reader_jitter();
        replies->send(0);
        kept.add(std::move(read), i);
      }
      kept.check();
    });
    for (std::uint64_t i = 0; go_on(i); ++i) {
      owner = make<Canary>(make<Canary>(i), i);
      jitter();
      turns->send(i);
      replies->receive();
      owner = nullptr;
    }
    turns->close();
    group.wait();
  });
}

// A Local on another stack is copied, and its owner drops it.
TEST_P(HeapLitmusTest, ALocalOnAnotherStackIsCopied) {
  run_while_collecting([this](Jitter& jitter, auto go_on) {
    auto turns = tandem::make_channel<std::uint64_t>();
    auto replies = tandem::make_channel<int>();
    Local<Canary> owner;
    tandem::WaitGroup group;
    group.go([&owner, turns, replies, this] {
      Jitter reader_jitter(seed() + 1);
      Kept kept;
      for (std::uint64_t i : *turns) {
        Local<Canary> copy = reader_jitter.coin() ? owner : Local<Canary>(std::move(owner));
        replies->send(0);
        kept.add(std::move(copy), i);
        reader_jitter();
      }
      kept.check();
    });
    for (std::uint64_t i = 0; go_on(i); ++i) {
      owner = make<Canary>(i);
      jitter();
      turns->send(i);
      replies->receive();
      owner = nullptr;
    }
    turns->close();
    group.wait();
  });
}

// Stores to Persistents, which no stack scan sees, while marking.
TEST_P(HeapLitmusTest, PersistentsAreStoredAndRead) {
  run_while_collecting([this](Jitter& jitter, auto go_on) {
    std::array<tandem::Persistent<Canary>, 16> slots;
    tandem::Mutex mutex;
    std::atomic<bool> stop{false};
    tandem::WaitGroup group;
    for (std::uint64_t thief = 0; thief < 2; ++thief)
      group.go([&, thief] {
        Jitter thief_jitter(seed() + thief);
        Kept kept;
        while (!stop) {
          Local<Canary> stolen;
          {
            std::lock_guard lock(mutex);
            tandem::Persistent<Canary>& slot = slots[thief_jitter.below(slots.size())];
            stolen = slot.get();
            slot.reset();
          }
          if (stolen) {
            const std::uint64_t number = stolen->value;
            kept.add(std::move(stolen), number);
          }
          thief_jitter();
          tandem::safepoint();
        }
        kept.check();
      });
    for (std::uint64_t i = 0; go_on(i); ++i) {
      Local<Canary> fresh = make<Canary>(i);
      jitter();
      std::lock_guard lock(mutex);
      tandem::Persistent<Canary>& slot = slots[jitter.below(slots.size())];
      EXPECT_TRUE(!slot || slot->alive());
      if (jitter.coin())
        slot = fresh;
      else
        slot = tandem::Persistent<Canary>(fresh);
    }
    stop = true;
    group.wait();
    for (const auto& slot : slots) EXPECT_TRUE(!slot || slot->alive());
  });
}

// The only reference to an object moves about the heap, from cells that are not marked yet to cells that are.
TEST_P(HeapLitmusTest, ReferencesMoveAboutTheHeap) {
  run_while_collecting([this](Jitter& jitter, auto go_on) {
    constexpr std::uint64_t kCells = 2000;
    auto cells = tandem::make_array<Member<Canary>>(kCells);
    for (std::uint64_t i = 0; i < kCells; ++i) (*cells)[i] = make<Canary>(make<Canary>(i), i);
    tandem::Mutex mutex;
    std::atomic<bool> stop{false};
    tandem::WaitGroup group;
    const auto swap_two = [cells, &mutex](Jitter& random) {
      const Local<Canary> a = (*cells)[random.below(kCells)];
      const Local<Canary> b = (*cells)[random.below(kCells)];
      std::lock_guard lock(mutex);
      Local<Canary> moving = a->next;
      ASSERT_TRUE(moving->alive());
      a->next = nullptr;
      a->next = b->next;
      b->next = moving;
    };
    for (std::uint64_t mover = 0; mover < 2; ++mover)
      group.go([&, mover] {
        Jitter mover_jitter(seed() + mover);
        while (!stop) {
          for (int i = 0; i < 8; ++i) swap_two(mover_jitter);
          static_cast<void>(make<Canary>(0u));
          mover_jitter();
        }
      });
    for (std::uint64_t i = 0; go_on(i); ++i) {
      swap_two(jitter);
      jitter();
    }
    stop = true;
    group.wait();
    std::vector<bool> seen(kCells);
    for (Local<Canary> cell : *cells) {
      ASSERT_TRUE(cell->alive() && cell->next && cell->next->alive());
      EXPECT_FALSE(seen[cell->next->value]);
      seen[cell->next->value] = true;
    }
  });
}

// Goroutines that park and end at any moment of a cycle, each with objects deep in its stack.
TEST_P(HeapLitmusTest, StacksThatParkEndAndGrow) {
  struct Deep {
    [[gnu::noinline]] static void descend(int depth, Jitter& jitter) {
      Local<Canary> mine = make<Canary>(static_cast<std::uint64_t>(depth));
      volatile char room[256];
      room[depth % 256] = static_cast<char>(depth);
      jitter();
      if (depth > 0) descend(depth - 1, jitter);
      EXPECT_EQ(room[depth % 256], static_cast<char>(depth));
      EXPECT_TRUE(mine->is(static_cast<std::uint64_t>(depth)));
    }
  };
  run_while_collecting([this](Jitter& jitter, auto go_on) {
    tandem::WaitGroup group;
    tandem::Semaphore running(50);
    for (std::uint64_t i = 0; go_on(i); ++i) {
      running.acquire();
      group.go([&running, i, seed = seed()] {
        Jitter child_jitter(seed + i);
        Deep::descend(static_cast<int>(child_jitter.below(20)), child_jitter);
        running.release();
      });
      jitter();
    }
    group.wait();
  });
}

}  // namespace
