// Each knob of the collector does what it says: a counter moves, a stop appears or disappears. And whatever the knobs say,
// nothing reachable is lost.
#include "tests/runtime/heap_test.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "gc/counters.h"
#include "runtime/seam/goroutine.h"
#include "runtime/seam/phase.h"
#include "runtime/seam/processor.h"
#include "tests/support/scale.h"

// oneTBB's library is not compiled with ThreadSanitizer, which takes what happens in it for races.
#if defined(TANDEM_HAS_TBB)
#if !defined(__has_feature)
#define TEST_TBB 1
#elif !__has_feature(thread_sanitizer)
#define TEST_TBB 1
#endif
#endif

namespace {

using namespace std::chrono_literals;
using tandem::Local;
using tandem::make;
using tandem::Member;
using tandem::Options;
using tandem::Statistics;
using tandem_test::Canary;

struct Variant {
  const char* name;
  void (*set)(Options& options);
};

const Variant kVariants[] = {
    {"Defaults", [](Options&) {}},
    {"StopTheWorld", [](Options& o) { o.stop = Options::Stop::stop_the_world; }},
    {"RootsByOwner", [](Options& o) { o.roots_by = Options::RootsBy::owner; }},
    {"RootsByWorker", [](Options& o) { o.roots_by = Options::RootsBy::worker; }},
    {"ConservativeRoots", [](Options& o) { o.roots = Options::Roots::conservative; }},
    {"InsertionRescan", [](Options& o) { o.barrier = Options::WriteBarrier::insertion_rescan; }},
    {"InsertionInAStop",
     [](Options& o) {
       o.barrier = Options::WriteBarrier::insertion_rescan;
       o.stop = Options::Stop::stop_the_world;
     }},
    {"NoBarrierInAStop",
     [](Options& o) {
       o.barrier = Options::WriteBarrier::none;
       o.stop = Options::Stop::stop_the_world;
     }},
    {"MarkThreads", [](Options& o) { o.mark_executor = Options::MarkExecutor::threads; }},
#if defined(TEST_TBB)
    {"MarkArena", [](Options& o) { o.mark_executor = Options::MarkExecutor::tbb; }},
#endif
    {"MarkThreadsInAStop",
     [](Options& o) {
       o.mark_executor = Options::MarkExecutor::threads;
       o.stop = Options::Stop::stop_the_world;
     }},
    {"Share", [](Options& o) { o.mark_share = 0.9; }},
    {"NoIdleMarking", [](Options& o) { o.mark_idle = false; }},
    {"NoAssists", [](Options& o) { o.mark_assist = false; }},
    {"PrefetchOne", [](Options& o) { o.mark_prefetch = 1; }},
    {"PrefetchMost", [](Options& o) { o.mark_prefetch = 64; }},
    {"LastInFirstOut", [](Options& o) { o.mark_order = Options::MarkOrder::lifo; }},
    {"FirstInFirstOut", [](Options& o) { o.mark_order = Options::MarkOrder::fifo; }},
    {"ByBlock", [](Options& o) { o.mark_order = Options::MarkOrder::block; }},
    {"ByBlockOnThreads",
     [](Options& o) {
       o.mark_order = Options::MarkOrder::block;
       o.mark_executor = Options::MarkExecutor::threads;
     }},
    {"LazySweep", [](Options& o) { o.sweep = Options::Sweep::lazy; }},
    {"EagerSweep", [](Options& o) { o.sweep = Options::Sweep::eager; }},
    {"EagerSweepInTheStop",
     [](Options& o) {
       o.sweep = Options::Sweep::eager;
       o.stop = Options::Stop::stop_the_world;
     }},
    {"FixedPacer",
     [](Options& o) {
       o.pacer = Options::Pacer::fixed;
       o.pacer_fixed_bytes = 256 << 10;
     }},
    {"NoHugePages", [](Options& o) { o.huge_pages = false; }},
    {"NoMemoryAhead", [](Options& o) { o.memory_ahead = 0; }},
    {"MuchMemoryAhead", [](Options& o) { o.memory_ahead = 256 << 20; }},
    {"NoStackShrink", [](Options& o) { o.stack_shrink = false; }},
    {"NoNetpollDuringMark", [](Options& o) { o.netpoll_during_mark = false; }},
    {"HandshakeEveryPoll", [](Options& o) { o.handshake_every_poll = true; }},
};

std::string variant_name(const testing::TestParamInfo<std::tuple<Variant, std::uint32_t>>& info) {
  return std::string(std::get<0>(info.param).name) + "P" + std::to_string(std::get<1>(info.param));
}

class EveryVariant : public testing::TestWithParam<std::tuple<Variant, std::uint32_t>> {};

constexpr std::uint64_t kListLength = 50;

/// A list is turned round and round: each turn takes its head off and appends it as a new object.
void turn(Local<Canary>& head, std::uint64_t& number) {
  Local<Canary> last = head;
  while (last->next) last = last->next;
  last->next = make<Canary>(++number);
  head = head->next;
}

void keep_turning(const Local<tandem::Channel<Member<Canary>>>& lists, std::uint64_t turns) {
  for (std::uint64_t i = 0; i < turns; ++i) {
    Local<Canary> head = *lists->receive();
    std::uint64_t number = head->value + kListLength - 1;
    for (int step = 0; step < 5; ++step) turn(head, number);
    std::uint64_t expected = head->value;
    for (Local<Canary> at = head; at; at = at->next) ASSERT_TRUE(at->is(expected++)) << "lost";
    ASSERT_EQ(expected, head->value + kListLength);
    lists->send(head);
  }
}

// Lists travel between goroutines while cycles go on, some of which are begun by allocation, and each is verified.
TEST_P(EveryVariant, NothingReachableIsLost) {
  const auto& [variant, processors] = GetParam();
  Options options;
  options.processors = processors;
  options.poison_freed = true;
  options.verify_after_mark = true;
  options.gc_percent = 20;
  variant.set(options);
  const auto cycles = tandem::test::scaled<std::uint64_t>(30, 5);
  tandem::run(options, [&] {
    Local<tandem::Channel<Member<Canary>>> lists = tandem::make_channel<Member<Canary>>(4);
    for (int list = 0; list < 4; ++list) {
      Local<Canary> head;
      for (std::uint64_t i = kListLength; i > 0; --i) head = make<Canary>(head, i);
      lists->send(head);
    }
    tandem::WaitGroup turners;
    for (int i = 0; i < 4; ++i)
      turners.go([&, lists] { keep_turning(lists, tandem::test::scaled<std::uint64_t>(2000, 200)); });
    for (std::uint64_t i = 0; i < cycles; ++i) tandem::collect();
    turners.wait();
    EXPECT_GE(tandem::statistics().cycles, cycles);
    EXPECT_EQ(lists->size(), 4u);
  });
}

INSTANTIATE_TEST_SUITE_P(Knobs, EveryVariant,
                         testing::Combine(testing::ValuesIn(kVariants), testing::Values(1U, 2U, 4U)), variant_name);

/// What `main` has counted when it returns.
template <class Main>
Statistics counted(const Options& options, Main&& main) {
  Statistics result;
  EXPECT_EQ(tandem::run(options,
                        [&] {
                          main();
                          result = tandem::statistics();
                        }),
            0);
  return result;
}

struct Tree {
  Member<Tree> left, right;
  void trace(tandem::Visitor& visit) const { visit(left), visit(right); }
};

Local<Tree> make_tree(int depth) {
  Local<Tree> tree = make<Tree>();
  if (depth > 0) {
    tree->left = make_tree(depth - 1);
    tree->right = make_tree(depth - 1);
  }
  return tree;
}

/// Garbage of so many bytes.
void litter(std::uint64_t bytes) {
  for (std::uint64_t i = 0; i < bytes / 64; ++i) (void)make<std::array<std::uint64_t, 8>>();
}

/// Goroutines that compute beside `main`, one a processor, each passing a safepoint every now and then.
template <class Main>
void beside_spinners(std::uint32_t spinners, Main&& main) {
  std::atomic<bool> stop{false};
  tandem::WaitGroup group;
  for (std::uint32_t i = 0; i < spinners; ++i)
    group.go([&] {
      while (!stop.load(std::memory_order_relaxed)) tandem::safepoint();
    });
  main();
  stop = true;
  group.wait();
}

TEST(Knobs, RootsByWorkerNeverScansBeforeAResume) {
  for (const auto by : {Options::RootsBy::first_claim, Options::RootsBy::worker}) {
    Options options;
    options.processors = 2;
    options.roots_by = by;
    options.pacer = Options::Pacer::off;
    const Statistics now = counted(options, [] {
      std::atomic<bool> stop{false};
      tandem::WaitGroup group;
      for (int i = 0; i < 2000; ++i)
        group.go([&] {
          while (!stop.load(std::memory_order_relaxed)) tandem::yield();
        });
      for (int i = 0; i < 20; ++i) tandem::collect();
      stop = true;
      group.wait();
    });
    EXPECT_GT(now.stacks_scanned, 20u * 2000u);
    if (by == Options::RootsBy::worker)
      EXPECT_EQ(now.stacks_scanned_by_runner, 0u);
    else
      EXPECT_GT(now.stacks_scanned_by_runner, 0u);
  }
}

std::uint64_t scanned_by(std::uint32_t processor) {
  return tandem::gc::counters.by_processor[processor].stacks_scanned.get();
}

// Both processors are busy throughout, so each scans the goroutines that parked on it, and no others.
TEST(Knobs, RootsByOwnerLeavesGoroutinesToTheirProcessors) {
  constexpr int kParked = 1000;
  Options options;
  options.processors = 2;
  options.roots_by = Options::RootsBy::owner;
  options.pacer = Options::Pacer::off;
  tandem::run(options, [&] {
    Local<tandem::Channel<int>> never = tandem::make_channel<int>();
    std::array<std::atomic<const tandem::seam::Goroutine*>, kParked> goroutines{};
    const auto has_parked = [](const auto& goroutine) {
      return goroutine != nullptr && (goroutine.load()->state & tandem::seam::kStateMask) == tandem::seam::kWaiting;
    };
    beside_spinners(2, [&] {
      for (int i = 0; i < kParked; ++i)
        tandem::go([&goroutines, never, i] {
          goroutines[i] = tandem::seam::current_goroutine();
          never->receive();
        });
      while (!std::all_of(goroutines.begin(), goroutines.end(), has_parked)) tandem::yield();
      std::array<std::uint64_t, 2> parked{};  // where they are now, and stay
      for (const auto& goroutine : goroutines)
        ++parked[static_cast<const tandem::seam::Processor*>(goroutine.load()->processor)->index];
      const std::array<std::uint64_t, 2> before{scanned_by(0), scanned_by(1)};
      tandem::collect();
      // And main, the spinners, the runtime's own.
      constexpr std::uint64_t kOthers = 8;
      for (std::uint32_t p = 0; p < 2; ++p) {
        EXPECT_GE(scanned_by(p) - before[p], parked[p]) << p;
        EXPECT_LE(scanned_by(p) - before[p], parked[p] + kOthers) << p;
      }
    });
    never->close();
  });
}

struct Watched {
  int value = 7;
};

/// Makes an object that only a word on the caller's stack leads to.
[[gnu::noinline]] std::uintptr_t make_hidden(tandem::WeakPersistent<Watched>& weak) {
  Local<Watched> object = make<Watched>();
  weak = object;
  return reinterpret_cast<std::uintptr_t>(&*object);
}

TEST(Knobs, ConservativeRootsKeepWhatAWordLeadsTo) {
  for (const auto roots : {Options::Roots::precise, Options::Roots::conservative}) {
    Options options;
    options.processors = 1;
    options.roots = roots;
    tandem::run(options, [&] {
      tandem::WeakPersistent<Watched> weak;
      volatile std::uintptr_t hidden = make_hidden(weak);
      tandem_test::use_stack();
      tandem::collect();
      EXPECT_EQ(static_cast<bool>(weak.lock()), roots == Options::Roots::conservative);
      hidden = 0;
      EXPECT_EQ(hidden, 0u);
    });
  }
}

TEST(Knobs, InsertionRescanEndsMarkingInAStop) {
  for (const auto barrier : {Options::WriteBarrier::hybrid, Options::WriteBarrier::insertion_rescan}) {
    Options options;
    options.processors = 2;
    options.barrier = barrier;
    const Statistics now = counted(options, [] {
      for (int i = 0; i < 5; ++i) tandem::collect();
    });
    if (barrier == Options::WriteBarrier::hybrid) {
      EXPECT_EQ(now.times_held, 0u);
      EXPECT_EQ(now.longest_all_stopped_ns, 0u);
    } else {
      EXPECT_GE(now.times_held, 5u);
      EXPECT_GT(now.longest_all_stopped_ns, 0u);
    }
  }
}

TEST(Knobs, BarriersShadeWhileACycleMarks) {
  Options options;
  options.processors = 2;
  const Statistics now = counted(options, [] {
    Local<Canary> object = make<Canary>(1);
    object->next = make<Canary>(2);
    std::atomic<bool> collected{false};
    tandem::WaitGroup group;
    group.go([&] {
      for (int i = 0; i < 20; ++i) tandem::collect();
      collected = true;
    });
    while (!collected) {
      object->next = make<Canary>(3);
      tandem::safepoint();
    }
    group.wait();
  });
  EXPECT_GT(now.barrier_shades, 0u);
}

TEST(Knobs, MarkExecutorsMarkInPlaceOfTheWorkers) {
  std::vector<Options::MarkExecutor> executors{Options::MarkExecutor::scheduler, Options::MarkExecutor::threads};
#if defined(TEST_TBB)
  executors.push_back(Options::MarkExecutor::tbb);
#endif
  for (const auto executor : executors) {
    Options options;
    options.processors = 2;
    options.mark_executor = executor;
    options.pacer = Options::Pacer::off;
    const Statistics now = counted(options, [] {
      Local<Tree> tree = make_tree(14);
      for (int i = 0; i < 3; ++i) tandem::collect();
      EXPECT_TRUE(tree->left);
    });
    const std::uint64_t by_workers =
        std::accumulate(now.marked_bytes.begin(), now.marked_bytes.end(), std::uint64_t{0});
    if (executor == Options::MarkExecutor::scheduler) {
      EXPECT_EQ(now.marked_bytes_by_executor, 0u);
      EXPECT_GT(by_workers, std::uint64_t{3} << 18);
    } else {
      EXPECT_GT(now.marked_bytes_by_executor, 9 * by_workers);
    }
  }
}

// The threads call the scheduler, whose end they must not outlive.
TEST(Knobs, ARunMayEndWhileThreadsMark) {
  for (int round = 0; round < 50; ++round) {
    Options options;
    options.processors = 2;
    options.mark_executor = Options::MarkExecutor::threads;
#if defined(TEST_TBB)
    if (round % 2 == 1) options.mark_executor = Options::MarkExecutor::tbb;
#endif
    tandem::run(options, [] {
      Local<Tree> tree = make_tree(14);
      const std::uint64_t cycles = tandem::statistics().cycles;
      while (tandem::statistics().cycles == cycles)
        for (int i = 0; i < 1024; ++i) (void)make<std::array<std::uint64_t, 8>>();
      // The next one is begun, and left where it is.
      while (tandem::seam::current_phase() != tandem::seam::Phase::kMark) (void)make<std::array<std::uint64_t, 8>>();
      EXPECT_TRUE(tree->left);
    });
  }
}

TEST(Knobs, ALargerShareMeansFewerQuanta) {
  std::array<std::uint64_t, 2> quanta{};
  for (const bool large : {false, true}) {
    Options options;
    options.processors = 1;
    options.mark_share = large ? 0.9 : 0.02;
    options.pacer = Options::Pacer::off;
    quanta[large] = counted(options, [] {
                      Local<Tree> tree = make_tree(16);
                      beside_spinners(1, [] { tandem::collect(); });
                      EXPECT_TRUE(tree->left);
                    }).quanta;
  }
  EXPECT_GT(quanta[0], 4 * quanta[1]);
}

TEST(Knobs, WithoutIdleMarkingIdleWorkersDoNothing) {
  for (const bool idle : {true, false}) {
    Options options;
    options.processors = 2;
    options.mark_idle = idle;
    const Statistics now = counted(options, [] {
      Local<Tree> tree = make_tree(12);
      for (int i = 0; i < 3; ++i) tandem::collect();
      EXPECT_TRUE(tree->left);
    });
    EXPECT_EQ(now.idle_cpu_ns > 0, idle);
    EXPECT_GE(now.cycles, 3u);
  }
}

TEST(Knobs, WithoutAssistsAllocationDoesNotMark) {
  for (const bool assist : {true, false}) {
    Options options;
    options.processors = 1;
    options.mark_assist = assist;
    const Statistics now = counted(options, [] {
      Local<Tree> tree = make_tree(14);
      litter(64 << 20);
      EXPECT_TRUE(tree->left);
    });
    EXPECT_GT(now.cycles, 0u);
    EXPECT_EQ(now.assist_cpu_ns > 0, assist);
  }
}

// Breadth first, half of a full tree is grey at a time; depth first, one path.
TEST(Knobs, TheOrderOfMarkingDecidesHowMuchIsGrey) {
  std::array<std::uint64_t, 4> packets{};
  using Order = Options::MarkOrder;
  constexpr std::array kOrders{Order::prefetch, Order::lifo, Order::fifo, Order::block};
  for (std::size_t i = 0; i < kOrders.size(); ++i) {
    Options options;
    options.processors = 1;
    options.mark_order = kOrders[i];
    options.pacer = Options::Pacer::off;
    packets[i] = counted(options, [] {
                   Local<Tree> tree = make_tree(16);
                   tandem::collect();
                   EXPECT_TRUE(tree->left);
                 }).mark_packets;
  }
  EXPECT_GT(packets[2], 10 * packets[0]);
  EXPECT_GT(packets[2], 10 * packets[1]);
  EXPECT_GT(packets[2], 10 * packets[3]) << "a block is grey once, however many objects in it are";
}

TEST(Knobs, WhoSweeps) {
  using Sweep = Options::Sweep;
  for (const Sweep sweep : {Sweep::lazy, Sweep::eager}) {
    Options options;
    options.processors = 2;
    options.sweep = sweep;
    options.pacer = Options::Pacer::off;
    const Statistics now = counted(options, [] {
      for (int i = 0; i < 5; ++i) {
        litter(1 << 20);
        tandem::collect();
      }
    });
    if (sweep == Sweep::lazy) {
      EXPECT_EQ(now.blocks_swept_in_background, 0u);
      EXPECT_GT(now.blocks_swept_on_allocation, 16u);
    } else {
      EXPECT_GT(now.blocks_swept_in_background, 16u);
      EXPECT_EQ(now.blocks_swept_on_allocation, 0u);
    }
    EXPECT_GT(now.freed_bytes, std::uint64_t{4} << 20);
  }
}

TEST(Knobs, APacerThatIsFixedCountsBytesAndNoneIsOff) {
  Options options;
  options.processors = 1;
  options.pacer = Options::Pacer::fixed;
  options.pacer_fixed_bytes = 1 << 20;
  const std::uint64_t fixed = counted(options, [] { litter(32 << 20); }).cycles;
  EXPECT_GE(fixed, 10u);
  EXPECT_LE(fixed, 32u);
  options.pacer = Options::Pacer::off;
  EXPECT_EQ(counted(options, [] { litter(32 << 20); }).cycles, 0u);
}

/// So much stack, all of it touched.
[[gnu::noinline]] void use_deep_stack() {
  volatile char frame[128 << 10];
  for (std::size_t i = 0; i < sizeof frame; i += 512) frame[i] = 1;
}

TEST(Knobs, StackShrinkGivesDeepPagesBack) {
  for (const bool shrink : {true, false}) {
    Options options;
    options.processors = 1;
    options.stack_shrink = shrink;
    const Statistics now = counted(options, [] {
      Local<tandem::Channel<int>> never = tandem::make_channel<int>();
      for (int i = 0; i < 32; ++i)
        tandem::go([never] {
          use_deep_stack();
          never->receive();
        });
      tandem::sleep_for(1ms);
      for (int i = 0; i < 20; ++i) tandem::collect();
      never->close();
    });
    EXPECT_EQ(now.stack_bytes_released > 0, shrink);
  }
}

TEST(Knobs, DescriptorsCanBeLeftAloneWhileACycleMarks) {
  for (const bool polls : {true, false}) {
    Options options;
    options.processors = 1;
    options.netpoll_during_mark = polls;
    options.pacer = Options::Pacer::off;
    const Statistics now = counted(options, [&] {
      tandem::net::TcpListener listener = tandem::net::TcpListener::bind("127.0.0.1:0");
      tandem::WaitGroup acceptor;
      acceptor.go([&] {
        std::error_code error;
        (void)listener.accept(error);
      });
      Local<Tree> tree = make_tree(16);
      std::atomic<bool> stop{false};
      tandem::go([&] {
        while (!stop) tandem::yield();
      });
      // With polls until one is seen while a cycle marks.
      for (int i = 0; i < (polls ? 1000 : 10); ++i) {
        tandem::collect();
        if (tandem::statistics().network_polls_while_marking > 0) break;
      }
      stop = true;
      listener.close();
      acceptor.wait();
      EXPECT_TRUE(tree->left);
    });
    EXPECT_GT(now.network_polls, 0u);
    EXPECT_EQ(now.network_polls_while_marking > 0, polls);
  }
}

TEST(Knobs, EveryPollCanBeAHandshake) {
  for (const bool zeal : {false, true}) {
    Options options;
    options.processors = 1;
    options.handshake_every_poll = zeal;
    const Statistics now = counted(options, [] {
      for (int i = 0; i < 1000; ++i) tandem::safepoint();
    });
    EXPECT_EQ(now.handshakes >= 1000, zeal) << now.handshakes;
  }
}

std::string refusal(const Options& options) {
  try {
    tandem::run(options, [] {});
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "(not refused)";
}

TEST(Knobs, WhatDoesNotGoTogetherIsRefused) {
  Options options;
  options.barrier = Options::WriteBarrier::none;
  EXPECT_NE(refusal(options).find("barrier = none needs stop = stop_the_world"), std::string::npos) << refusal(options);
  options = {};
  options.seed = 1;
  options.mark_executor = Options::MarkExecutor::threads;
  EXPECT_NE(refusal(options).find("mark_executor = scheduler"), std::string::npos) << refusal(options);
  options = {};
  options.seed = 1;
  options.mark_idle = false;
  EXPECT_NE(refusal(options).find("mark_idle = on"), std::string::npos) << refusal(options);
  options = {};
  options.mark_prefetch = 65;
  EXPECT_NE(refusal(options).find("from 1 to 64"), std::string::npos) << refusal(options);
}

}  // namespace
