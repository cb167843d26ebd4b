// Litmus tests: what crosses stacks while a cycle is under way. In each of them the only reference to an object passes by a
// way on which no ordinary barrier lies, from a stack that the collector may not have scanned yet to one that it has. If
// nobody shades it, the object is freed although it is in use; poison then breaks its canary.
//
// A goroutine collects without pause meanwhile. What was received is kept for a while, because a lost object
// is freed only when the cycle in which it was lost has ended.
#include "tests/runtime/heap_test.h"
#include "tests/support/scale.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <ctime>
#include <mutex>
#include <thread>
#include <vector>

#include <tandem/detail/barrier.h>

namespace {

using tandem::Local;
using tandem::make;
using tandem::Member;
using tandem_test::Canary;

// Each test goes on until it has made so many iterations and seen so many cycles; or for so long, if it has seen a few.
const auto kIterations = tandem::test::scaled<std::uint64_t>(10'000);
const auto kCycles = tandem::test::scaled<std::uint64_t>(100);
const std::chrono::milliseconds kTimeLimit{tandem::test::scaled(1000)};
constexpr std::uint64_t kCyclesAtLeast = 5;
constexpr std::clock_t kCpuLimitAtLeast = 40 * CLOCKS_PER_SEC;  // of all threads: a busy machine may keep them waiting
constexpr std::uint64_t kOld = 64;  // objects are so many iterations old before they are handed over

/// Objects that a goroutine got while the stacks of a cycle were being scanned, which is when they can be
/// lost; on its stack, until the cycle after that one begins: then a lost one has been swept. A random
/// choice, if they were many.
class Kept {
 public:
  void add(Local<Canary> canary, std::uint64_t number) {
    ASSERT_TRUE(canary->is(number)) << "lost on the way: " << number;
    using namespace tandem::detail;
    // With barrier = insertion_rescan objects can be lost at any time while it is on.
    const std::uint8_t bits = barrier_bits() & (kBarrierStores | kBarrierLoads);
    const bool scanning = (bits & kBarrierLoads) != 0 || bits == kBarrierNewValues;
    if (scanning && !scanning_) begin_generation();
    scanning_ = scanning;
    if (!scanning) return;
    const std::uint64_t place = received_ < kPlaces ? received_ : random_() % (received_ + 1);
    ++received_;
    if (place < kPlaces) generations_[current_][place] = std::move(canary);
  }
  void check() const {
    for (const auto& generation : generations_) check(generation);
  }

 private:
  static constexpr std::uint64_t kPlaces = 512;
  using Generation = std::array<Local<Canary>, kPlaces>;

  void begin_generation() {
    current_ = 1 - current_;
    received_ = 0;
    check(generations_[current_]);
    for (Local<Canary>& canary : generations_[current_]) canary = nullptr;
  }
  static void check(const Generation& generation) {
    for (const Local<Canary>& canary : generation) {
      ASSERT_TRUE(!canary || canary->alive()) << "lost while it was kept";
      ASSERT_TRUE(!canary || !canary->next || canary->next->alive()) << "what it refers to was lost";
    }
  }

  std::array<Generation, 2> generations_;  // of this cycle and the one before
  std::size_t current_ = 0;
  std::uint64_t received_ = 0;  // in this cycle, while stacks were scanned
  bool scanning_ = false;
  std::minstd_rand random_;
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

  /// Runs `body(jitter, go_on)` while a goroutine collects in a loop. `go_on(i)` tells whether to make iteration i.
  template <class Body>
  void run_while_collecting(Body body) {
    SCOPED_TRACE("seed " + std::to_string(seed()));
    std::uint64_t iterations = 0;
    std::atomic<std::uint64_t> cycles{0};
    run([&] {
      std::atomic<bool> stop{false};
      tandem::WaitGroup group;
      group.go([&] {
        for (; !stop; ++cycles) tandem::collect();
      });
      if (processors() > 1) group.go([&] { lag(stop); });
      const auto begin = std::chrono::steady_clock::now();
      const std::clock_t cpu_begin = std::clock();
      Jitter jitter(seed());
      body(jitter, [&, begin, cpu_begin](std::uint64_t i) {
        iterations = i;
        if (HasFatalFailure()) return false;
        if (i % 64 == 0 && i > 0) {
          if (cycles >= kCyclesAtLeast ? std::chrono::steady_clock::now() - begin >= kTimeLimit
                                       : std::clock() - cpu_begin >= kCpuLimitAtLeast)
            return false;
        }
        return i < kIterations || cycles < kCycles;
      });
      stop = true;
      group.wait();
    });
    RecordProperty("iterations", std::to_string(iterations));
    RecordProperty("cycles", std::to_string(cycles));
    EXPECT_GE(cycles, kCyclesAtLeast) << "hardly anything was collected meanwhile: the test shows nothing";
  }

 private:
  /// Reaches a safepoint only now and then: each handshake takes as long, and in the meantime the others run in the state
  /// that it is about to end.
  void lag(const std::atomic<bool>& stop) {
    Jitter jitter(seed() + 1000);
    while (!stop) {
      const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(jitter.below(60));
      while (std::chrono::steady_clock::now() < end) {
      }
      tandem::yield();
    }
  }
};
TANDEM_TEST_OVER_PROCESSORS(HeapLitmusTest);

/// Whose turn it is, of two goroutines on different processors: a hand-over that is no safepoint, which no operation of the
/// library is. So one of the two can remain unscanned from before to after it.
class Turn {
 public:
  explicit Turn(std::uint32_t processors) : alone_(processors == 1) {}
  void give(int to) { owner_.store(to, std::memory_order_release); }
  bool is(int whose) const { return owner_.load(std::memory_order_acquire) == whose; }
  /// Waits, passing safepoints.
  void await_polling(int whose) const {
    for (int tries = 1; !is(whose); ++tries) {
      tandem::safepoint();
      if (alone_)
        tandem::yield();
      else if (tries % 64 == 0)
        std::this_thread::yield();
    }
  }
  /// Waits without passing a safepoint, for as long as that takes another processor; the other goroutine may be waiting for
  /// this one.
  void await_deaf(int whose) const {
    const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(alone_ ? 0 : 500);
    for (int tries = 1; !is(whose); ++tries) {
      if (tries % 64 != 0) continue;
      if (std::chrono::steady_clock::now() >= end) return await_polling(whose);
      std::this_thread::yield();
    }
  }

 private:
  const bool alone_;
  std::atomic<int> owner_{0};
};

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
      bool open = true;
      while (open) {
        tandem::select(tandem::on_receive(buffered,
                                          [&](std::optional<Local<Canary>> canary) {
                                            if (canary) kept.add(*canary, canary->raw()->value);
                                            open = canary.has_value();
                                          }),
                       tandem::on_receive(direct, [&](std::optional<Local<Canary>> canary) {
                         if (canary) kept.add(*canary, canary->raw()->value);
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

// Nothing but a weak reference knows the object when a cycle begins; then it is locked, and lies on a stack that has been
// scanned.
TEST_P(HeapLitmusTest, AWeakReferenceIsLocked) {
  run_while_collecting([](Jitter& jitter, auto go_on) {
    constexpr std::uint64_t kObjects = 64;
    std::vector<tandem::WeakPersistent<Canary>> weak(kObjects);
    std::array<Local<Canary>, kObjects> strong;
    std::array<Local<Canary>, 4 * kObjects> locked;
    std::uint64_t next = 0;
    for (std::uint64_t i = 0; go_on(i); ++i) {
      strong[i % kObjects] = make<Canary>(make<Canary>(i), i);
      weak[i % kObjects] = tandem::WeakPersistent<Canary>(strong[i % kObjects]);
      strong[jitter.below(kObjects)] = nullptr;
      Local<Canary> canary = weak[jitter.below(kObjects)].lock();
      if (canary) {
        ASSERT_TRUE(canary->alive() && canary->next->alive()) << "lock() gave an object that is gone";
        Local<Canary>& place = locked[next++ % locked.size()];
        ASSERT_TRUE(!place || (place->alive() && place->next->alive())) << "lost after it had been locked";
        place = std::move(canary);
      }
      jitter();
    }
    for (const Local<Canary>& canary : locked) ASSERT_TRUE(!canary || (canary->alive() && canary->next->alive()));
  });
}

// Nothing but a WeakMap knows the value. It is found, or replaced while another goroutine holds it, at any time of a cycle.
TEST_P(HeapLitmusTest, ValuesOfAWeakMap) {
  run_while_collecting([](Jitter& jitter, auto go_on) {
    constexpr std::uint64_t kKeys = 32;
    const auto map = tandem::make_weak_map<Canary, Member<Canary>>();
    std::array<Local<Canary>, kKeys> keys;
    std::array<Local<Canary>, 8 * kKeys> found;
    for (auto& key : keys) key = make<Canary>(0u);
    std::uint64_t next = 0;
    for (std::uint64_t i = 0; go_on(i); ++i) {
      Local<Canary>& key = keys[jitter.below(kKeys)];
      if (jitter.below(8) == 0) key = make<Canary>(i);
      if (jitter.coin()) map->insert_or_assign(key, make<Canary>(make<Canary>(i), i));
      if (const auto value = map->find(keys[jitter.below(kKeys)])) {
        ASSERT_TRUE((*value)->alive() && (*value)->next->alive()) << "the value of a key that lives was lost";
        Local<Canary>& place = found[next++ % found.size()];
        ASSERT_TRUE(!place || (place->alive() && place->next->alive())) << "lost after it had been found";
        place = *value;
      }
      jitter();
    }
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
  run_while_collecting([](Jitter& jitter, auto go_on) {
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

// The next four: an old object, made before the cycle and so not allocated black, is handed over between a goroutine that has
// been scanned (it polls all the time) and one that has not (it does not poll until its part is done).

// A goroutine that is not scanned yet writes to a Local of one that is, and forgets.
TEST_P(HeapLitmusTest, ALocalOnAnotherStackIsWritten) {
  run_while_collecting([this](Jitter& jitter, auto go_on) {
    Turn turn(processors());
    std::uint64_t number = 0;
    Local<Canary> slot;
    tandem::WaitGroup group;
    group.go([&slot, &turn, &number, this] {
      Jitter writer_jitter(seed() + 1);
      std::array<Local<Canary>, kOld> old;
      for (std::uint64_t i = 0; i < kOld; ++i) old[i] = make<Canary>(i);
      for (std::uint64_t i = 0;; ++i) {
        turn.await_polling(1);
        if (number == ~0ull) return;
        Local<Canary>& oldest = old[i % kOld];
        number = oldest->value;
        slot = oldest;
        oldest = nullptr;
        turn.give(0);
        oldest = make<Canary>(i + kOld);
        writer_jitter();
      }
    });
    Kept kept;
    for (std::uint64_t i = 0; go_on(i); ++i) {
      turn.give(1);
      turn.await_polling(0);
      EXPECT_EQ(number, i);
      kept.add(slot, i);
      slot = nullptr;
      jitter();
    }
    number = ~0ull;
    turn.give(1);
    group.wait();
    kept.check();
  });
}

/// `body(reader's Local, holder on the owner's stack)` takes an object over, by a goroutine that has been scanned; then the
/// owner, who has not been, drops the holder.
template <class Take>
void take_from_another_stack(std::uint32_t processors, std::uint64_t seed, auto& go_on, Jitter& jitter, Take take) {
  Turn turn(processors);
  bool over = false;
  Local<Canary> owned;  // this goroutine's, read by the other one
  tandem::WaitGroup group;
  group.go([&] {
    Jitter reader_jitter(seed + 1);
    Kept kept;
    for (std::uint64_t i = 0;; ++i) {
      turn.await_polling(1);
      if (over) break;
      Local<Canary> taken = take(owned);
      turn.give(0);
      kept.add(std::move(taken), i);
      reader_jitter();
    }
    kept.check();
  });
  std::array<Local<Canary>, kOld> old;
  for (std::uint64_t i = 0; i < kOld; ++i) old[i] = make<Canary>(make<Canary>(i), i);
  for (std::uint64_t i = 0; go_on(i); ++i) {
    Local<Canary>& oldest = old[i % kOld];
    owned = std::move(oldest);
    turn.give(1);
    turn.await_deaf(0);
    owned = nullptr;
    oldest = make<Canary>(make<Canary>(i + kOld), i + kOld);
    jitter();
  }
  over = true;
  turn.give(1);
  group.wait();
}

TEST_P(HeapLitmusTest, ALocalOnAnotherStackIsCopied) {
  run_while_collecting([this](Jitter& jitter, auto go_on) {
    take_from_another_stack(processors(), seed(), go_on, jitter, [](Local<Canary>& owned) { return owned; });
  });
}

TEST_P(HeapLitmusTest, ALocalOnAnotherStackIsMovedFrom) {
  run_while_collecting([this](Jitter& jitter, auto go_on) {
    take_from_another_stack(processors(), seed(), go_on, jitter,
                            [](Local<Canary>& owned) { return Local<Canary>(std::move(owned)); });
  });
}

// A goroutine reads a Member through a Local on another stack, whose owner then drops it.
TEST_P(HeapLitmusTest, AMemberIsReadThroughALocalOnAnotherStack) {
  run_while_collecting([this](Jitter& jitter, auto go_on) {
    take_from_another_stack(processors(), seed(), go_on, jitter,
                            [](Local<Canary>& owned) { return owned->next.get(); });
  });
}

// An old object, until now only on a stack that is not scanned yet, is stored into one that was allocated
// black: nobody is going to trace that one, and the stack forgets.
template <class Store>
void store_old_into_new(auto& go_on, Jitter& jitter, Store store) {
  std::array<Local<Canary>, kOld> old;
  Kept kept;
  for (std::uint64_t i = 0; i < kOld; ++i) old[i] = make<Canary>(i);
  for (std::uint64_t i = 0; go_on(i); ++i) {
    Local<Canary>& oldest = old[i % kOld];
    kept.add(store(oldest, i), i);
    oldest = nullptr;
    oldest = make<Canary>(i + kOld);
    jitter();
  }
  kept.check();
}

/// The same on every processor: in which of them there is time between handshakes 2 and 3 is a matter of
/// luck.
template <class Store>
void store_old_into_new_everywhere(std::uint32_t processors, std::uint64_t seed, auto& go_on, Jitter& jitter,
                                   Store store) {
  std::atomic<bool> stop{false};
  tandem::WaitGroup group;
  for (std::uint64_t other = 1; other < processors; ++other)
    group.go([&, other] {
      Jitter other_jitter(seed + other);
      const auto until_stop = [&](std::uint64_t) { return !stop; };
      store_old_into_new(until_stop, other_jitter, store);
    });
  store_old_into_new(go_on, jitter, store);
  stop = true;
  group.wait();
}

TEST_P(HeapLitmusTest, AnOldObjectIsStoredIntoANewOne) {
  run_while_collecting([this](Jitter& jitter, auto go_on) {
    store_old_into_new_everywhere(processors(), seed(), go_on, jitter, [](const Local<Canary>& old, std::uint64_t i) {
      Local<Canary> fresh = make<Canary>(i);
      fresh->next = old;
      return fresh;
    });
  });
}

TEST_P(HeapLitmusTest, ANewObjectIsInitialisedWithAnOldOne) {
  run_while_collecting([this](Jitter& jitter, auto go_on) {
    store_old_into_new_everywhere(processors(), seed(), go_on, jitter,
                                  [](const Local<Canary>& old, std::uint64_t i) { return make<Canary>(old, i); });
  });
}

TEST_P(HeapLitmusTest, AResultIsWrittenToTheParentsStack) {
  run_while_collecting([](Jitter& jitter, auto go_on) {
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
