// The heap's memory is there before a goroutine touches it, and stays there while the program needs it (gc/memory_ahead.h).
// Without huge pages: then each page that a goroutine is the first to touch is a fault that counts.
#include "gc/memory_ahead.h"

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>

#include <tandem/tandem.h>
#include <gtest/gtest.h>

#include "gc/region.h"
#include "runtime/base/os_thread.h"
#include "tests/runtime/heap_test.h"

namespace {

using tandem::Array;
using tandem::Local;
using tandem::make_array;
using tandem::Member;
using tandem::Options;
using namespace std::chrono_literals;

using Bytes = Array<std::uint8_t>;
using Chunks = Array<Member<Bytes>>;

constexpr std::size_t kChunkBytes = 1024;
constexpr std::uint64_t kMiB = 1 << 20;

std::uint64_t faults(int whose) {
  ::rusage usage{};
  ::getrusage(whose, &usage);
  return static_cast<std::uint64_t>(usage.ru_minflt);
}
/// ThreadSanitizer has faults of its own for each page that is touched, in its shadow memory.
constexpr bool kFaultsTell = !tandem::detail::kThreadSanitizer;
/// As so many pages are faults if each is touched for the first time.
std::uint64_t pages(std::uint64_t bytes) { return bytes / static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)); }

Options options() {
  Options options;
  options.processors = 1;
  options.huge_pages = false;
  options.poison_freed = false;
  return options;
}

class MemoryAheadTest : public testing::Test {
 protected:
  void SetUp() override {
    TANDEM_NOT_OVER_BOEHM("it has its own memory");
    if (tandem::base::usable_cpus() == 1) GTEST_SKIP() << "one CPU: nobody works ahead";
  }
  /// Is there a turn with fewer faults? The first ones find the size that the heap needs, and a machine on which cycles are late
  /// may have it grow once more.
  template <class Turn>
  static bool comes_to_rest(Turn turn, std::uint64_t faults_below) {
    for (int i = 0; i < 20; ++i) {
      const std::uint64_t before = faults(RUSAGE_SELF);
      turn();
      if (faults(RUSAGE_SELF) - before < faults_below) return true;
    }
    return false;
  }
  /// Chunks [from, to), stored if there is room for them.
  static void fill(const Local<Chunks>& chunks, std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) (*chunks)[i % chunks->size()] = make_array<std::uint8_t>(kChunkBytes);
  }
};

TEST_F(MemoryAheadTest, AGrowingHeapFindsItsMemoryReady) {
  Options growing = options();
  growing.pacer = Options::Pacer::off;
  tandem::run(growing, [] {
    const Local<Chunks> chunks = make_array<Member<Bytes>>(128 * kMiB / kChunkBytes);
    std::size_t filled = 32 * kMiB / kChunkBytes;
    fill(chunks, 0, filled);
    // In steps of a MiB: what is taken is far less than what is to be ready, so a step finds all it needs; but for what is
    // left of the groups that the goroutine had to begin itself.
    std::uint64_t steps_with_faults = 0;
    for (int step = 0; step < 16; ++step) {
      while (tandem::gc::region.ready_blocks() * tandem::gc::kBlockBytes < 2 * kMiB) tandem::sleep_for(1ms);
      const std::uint64_t before = faults(RUSAGE_THREAD);
      fill(chunks, filled, filled + kMiB / kChunkBytes);
      filled += kMiB / kChunkBytes;
      if (faults(RUSAGE_THREAD) - before > pages(kMiB) / 4) ++steps_with_faults;
    }
    if (kFaultsTell) EXPECT_LE(steps_with_faults, 5u);
    EXPECT_GE(tandem::statistics().populated_bytes, 12 * kMiB);
    EXPECT_LE(tandem::gc::region.ready_blocks() * tandem::gc::kBlockBytes, 10 * kMiB);
  });
}

TEST_F(MemoryAheadTest, AHeapThatDoesNotGrowTouchesNothingNew) {
  tandem::run(options(), [] {
    const Local<Chunks> ring = make_array<Member<Bytes>>(16 * kMiB / kChunkBytes);
    const auto turn_for = [&](std::uint64_t cycles) {
      const std::uint64_t until = tandem::statistics().cycles + cycles;
      for (std::size_t i = 0; tandem::statistics().cycles < until; i += 256) fill(ring, i, i + 256);
    };
    // Each cycle has at least 8 MiB of new objects.
    if (kFaultsTell) EXPECT_TRUE(comes_to_rest([&] { turn_for(8); }, pages(8 * 8 * kMiB) / 4));
  });
}

TEST_F(MemoryAheadTest, StaysBelowTheMemoryLimit) {
  Options limited = options();
  limited.memory_limit = 48 * kMiB;
  limited.memory_ahead = 32 * kMiB;
  tandem::run(limited, [&] {
    const Local<Chunks> ring = make_array<Member<Bytes>>(30 * kMiB / kChunkBytes);
    for (std::size_t i = 0; i < 8 * ring->size(); i += 64) {
      fill(ring, i, i + 64);
      ASSERT_LE(tandem::gc::region.backed_blocks() * tandem::gc::kBlockBytes, limited.memory_limit);
      if (i % 4096 == 0) tandem::sleep_for(100us);  // it has the time to go too far
    }
    EXPECT_LE(tandem::statistics().heap_bytes, limited.memory_limit);
  });
}

TEST_F(MemoryAheadTest, NoneMeansNone) {
  Options none = options();
  none.memory_ahead = 0;
  tandem::run(none, [] {
    const Local<Chunks> chunks = make_array<Member<Bytes>>(64 * kMiB / kChunkBytes);
    fill(chunks, 0, chunks->size());
    tandem::sleep_for(5ms);
    EXPECT_EQ(tandem::gc::memory_ahead.wanted_blocks(), 0u);
    EXPECT_EQ(tandem::statistics().populated_bytes, 0u);
  });
}

TEST_F(MemoryAheadTest, ASmallHeapIsLeftAlone) {
  tandem::run(options(), [] {
    const Local<Chunks> chunks = make_array<Member<Bytes>>(8 * kMiB / kChunkBytes);
    fill(chunks, 0, chunks->size());
    tandem::sleep_for(5ms);
    EXPECT_EQ(tandem::statistics().populated_bytes, 0u);
  });
}

TEST_F(MemoryAheadTest, LargeArraysThatComeAndGoKeepTheirMemory) {
  tandem::run(options(), [] {
    const Local<Chunks> live = make_array<Member<Bytes>>(32 * kMiB / kChunkBytes);
    fill(live, 0, live->size());
    const auto come_and_go = [](int times) {
      for (int i = 0; i < times; ++i) (void)make_array<std::uint8_t>(4 * kMiB);
    };
    if (kFaultsTell) EXPECT_TRUE(comes_to_rest([&] { come_and_go(64); }, pages(64 * 4 * kMiB) * 2 / 3));
  });
}

TEST_F(MemoryAheadTest, ALargeArrayThatIsNotNeededAgainGivesItsMemoryBackAtOnce) {
  tandem::run(options(), [] {
    const auto litter = [] { (void)make_array<std::uint8_t>(256 * kMiB); };
    litter();
    const std::uint64_t before = tandem::statistics().released_bytes;
    for (int i = 0; i < 3 && tandem::statistics().released_bytes == before; ++i) tandem::collect();
    EXPECT_GE(tandem::statistics().released_bytes - before, 250 * kMiB);
  });
}

}  // namespace
