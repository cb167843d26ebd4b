// write_trace and Options::trace: what is in the file, against what has happened.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tandem/tandem.h"
#include "tests/runtime/heap_test.h"
#include "tests/support/go_trace.h"

namespace tandem_test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kBuffer = std::uint64_t{16} << 20;

struct Link {
  tandem::Member<Link> next;
  std::uint64_t words[6];
  void trace(tandem::Visitor& visit) const { visit(next); }
};

void allocate(int objects) {
  tandem::Local<Link> list = tandem::make<Link>();
  for (int i = 0; i < objects; ++i) {
    tandem::Local<Link> link = tandem::make<Link>();
    if (i % 1000 != 0) link->next = list;
    list = link;
  }
}

constexpr int kMessages = 500;

/// Something of everything that a trace shows, network excepted.
void do_everything() {
  auto channel = tandem::make_channel<int>(0);
  tandem::Mutex mutex;
  tandem::WaitGroup group;
  group.go([&] {
    for (int i = 0; i < kMessages; ++i) channel->send(i);
    channel->close();
  });
  group.go([&] {
    while (channel->receive()) {
    }
  });
  for (int i = 0; i < 3; ++i)
    group.go([&] {
      for (int round = 0; round < 100; ++round) {
        mutex.lock();
        tandem::yield();
        mutex.unlock();
      }
    });
  group.go([] { tandem::sleep_for(2ms); });
  group.go([] {
    for (int i = 0; i < 3; ++i) tandem::blocking([] { std::this_thread::sleep_for(1ms); });
  });
  for (int i = 0; i < 2; ++i) group.go([] { allocate(50'000); });
  tandem::go({.name = "patient"}, [] { tandem::sleep_for(1h); });
  group.wait();
  tandem::collect();
}

class TraceTest : public HeapTest {
 protected:
  void SetUp() override {
    directory_ = std::filesystem::temp_directory_path() / ("tandem-trace-" + std::to_string(::getpid()));
    std::filesystem::create_directory(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  std::filesystem::path path() const { return directory_ / "run.trace"; }
  tandem::Options recording() const {
    tandem::Options options = this->options();
    options.trace_buffer = kBuffer;
    return options;
  }
  GoTrace trace() const {
    GoTrace trace = GoTrace::of_file(path());
    EXPECT_EQ(trace.check(), "");
    return trace;
  }

 private:
  std::filesystem::path directory_;
};
TANDEM_TEST_OVER_PROCESSORS(TraceTest);

TEST_P(TraceTest, AWholeRun) {
  tandem::Options options = this->options();
  options.trace = path();
  options.trace_buffer = kBuffer;
  std::uint64_t created = 0;
  tandem::run(options, [&] {
    do_everything();
    created = tandem::statistics().goroutines_created;
  });
  const tandem::Statistics statistics = tandem::statistics();
  const GoTrace trace = this->trace();

  // Cycles that had ended; one may have been under way when the run was over.
  EXPECT_GE(statistics.cycles, 1u);
  EXPECT_GE(trace.count(kGCDone), statistics.cycles);
  EXPECT_LE(trace.count(kGCDone), statistics.cycles + 1);
  EXPECT_EQ(trace.count(kGCStart), trace.count(kGCDone));
  EXPECT_EQ(trace.count(kSTWStart), 0u);
  EXPECT_GT(trace.count(kHeapAlloc), 0u);

  const std::multiset<std::string> names = trace.created();
  EXPECT_EQ(names.count("main"), 1u);
  EXPECT_EQ(names.count("patient"), 1u);
  EXPECT_EQ(
      std::count_if(names.begin(), names.end(),
                    [](const std::string& name) { return name.find("::do_everything()::") != std::string::npos; }),
      9);
  EXPECT_EQ(names.size() - names.count("collector") - names.count("finalizer"), created);

  // Who receives from an unbuffered channel or sends to it waits for the other one, but for the first.
  EXPECT_GE(trace.count(kGoBlockSend) + trace.count(kGoBlockRecv), std::size_t{kMessages});
  if (options.processors == 1) {
    EXPECT_GE(trace.count(kGoSched), 50u);  // a yield is none when nothing else can run
  }
  EXPECT_EQ(trace.count(kGoSysBlock), 3u);
  EXPECT_EQ(trace.count(kGoSleep), 2u);
  EXPECT_GE(trace.count(kGoEnd), created);

  const std::uint64_t wall_ns = trace.events.back().time;
  EXPECT_LE(trace.running_ns(true), wall_ns * options.processors);
  EXPECT_GT(trace.running_ns(false), 0u);
  // Nothing was lost, so nothing had to be made up. (Who waited for the end of a cycle is woken from outside.)
  std::size_t from_outside = 0;
  for (const GoTraceEvent& event : trace.events) {
    from_outside += event.type == kGoUnblock && event.processor == GoTrace::kOutside;
    if (event.processor == GoTrace::kOpening && event.type == kGoCreate) {
      EXPECT_EQ(trace.stacks.at(event.arguments[1]).at(0), "collector");
    }
  }
  EXPECT_LE(from_outside, trace.count(kGoBlockGC) + trace.count(kGoBlock));
}

TEST_P(TraceTest, OfTheRunInProgress) {
  tandem::run(recording(), [&] {
    do_everything();
    tandem::write_trace(path());
  });
  const GoTrace trace = this->trace();
  EXPECT_EQ(trace.created().count("patient"), 1u);
  EXPECT_EQ(trace.count(kGoSleep), 2u);
}

TEST_P(TraceTest, WhileTheOthersGoOn) {
  tandem::run(recording(), [&] {
    std::atomic<bool> stop{false};
    tandem::WaitGroup group;
    for (int i = 0; i < 4; ++i)
      group.go([&] {
        while (!stop.load(std::memory_order_relaxed)) {
          allocate(100);
          tandem::yield();
        }
      });
    tandem::sleep_for(5ms);
    for (int i = 0; i < 3; ++i) {
      tandem::write_trace(path());
      EXPECT_GT(trace().events.size(), 10u);
    }
    // From a thread that is no worker.
    tandem::blocking([&] { std::thread([&] { tandem::write_trace(path()); }).join(); });
    stop.store(true, std::memory_order_relaxed);
    group.wait();
  });
  trace();
}

TEST_P(TraceTest, KeepsTheNewestEvents) {
  constexpr std::uint64_t kSmallest = 64 << 10;
  tandem::Options options = this->options();
  options.trace = path();
  options.trace_buffer = kSmallest;
  testing::internal::CaptureStderr();
  tandem::run(options, [&] {
    // Each message is a wait and a wake-up: more than all rings hold together.
    auto channel = tandem::make_channel<int>(0);
    tandem::go([channel] {
      for (int i = 0; i < 20'000; ++i) channel->send(i);
      channel->close();
    });
    while (channel->receive()) {
    }
    tandem::go({.name = "last"}, [] {});
  });
  const std::string complaint = testing::internal::GetCapturedStderr();
  EXPECT_NE(complaint.find("events did not fit"), std::string::npos) << complaint;
  EXPECT_NE(complaint.find(path().string()), std::string::npos) << complaint;
  const GoTrace trace = this->trace();
  EXPECT_EQ(trace.created().count("last"), 1u);
  EXPECT_GT(trace.events.size(), 500u);
  EXPECT_LT(trace.events.size(), 4 * (options.processors + 1) * kSmallest / 32);
}

TEST_P(TraceTest, WhenNothingIsRecordedItShowsTheGoroutines) {
  tandem::Options options = this->options();
  options.trace_buffer = 0;
  tandem::run(options, [&] {
    auto channel = tandem::make_channel<int>(0);
    tandem::go({.name = "receiver"}, [channel] { channel->receive(); });
    tandem::sleep_for(1ms);
    tandem::write_trace(path());
    channel->close();
  });
  const GoTrace trace = this->trace();
  EXPECT_EQ(trace.created(), (std::multiset<std::string>{"main", "receiver"}));
  EXPECT_EQ(trace.count(kGoBlockRecv), 1u);
}

TEST_P(TraceTest, StopsOfTheWorldAndWhoMarksInThem) {
  TANDEM_NOT_OVER_BOEHM("marks in one piece");
  tandem::Options options = recording();
  options.stop = tandem::Options::Stop::stop_the_world;
  options.verify_after_mark = false;
  std::uint64_t cycles = 0;
  tandem::run(options, [&] {
    tandem::Local<Link> list = tandem::make<Link>();
    for (int i = 0; i < 10'000; ++i) {
      tandem::Local<Link> link = tandem::make<Link>();
      link->next = list;
      list = link;
    }
    tandem::collect();
    tandem::collect();
    cycles = tandem::statistics().cycles;
    tandem::write_trace(path());
  });
  const GoTrace trace = this->trace();
  EXPECT_EQ(trace.count(kGCDone), cycles);
  EXPECT_EQ(trace.count(kSTWDone), cycles);
  std::map<std::string, int> labels;
  for (const GoTraceEvent& event : trace.events)
    if (event.type == kGoStartLabel) ++labels[trace.texts.at(event.arguments[2])];
  EXPECT_GT(labels["GC (dedicated)"] + labels["GC (idle)"], 0);
}

TEST_P(TraceTest, RecordingDoesNotChangeASimulation) {
  TANDEM_NOT_OVER_BOEHM("its threads are none of the simulation");
  tandem::Options options = this->options();
  options.processors = 1;
  options.seed = 17;
  const auto hash_with = [&](std::uint64_t buffer) {
    options.trace_buffer = buffer;
    std::uint64_t hash = 0;
    tandem::run(options, [&] {
      tandem::WaitGroup group;
      for (int i = 0; i < 5; ++i)
        group.go([] {
          for (int round = 0; round < 20; ++round) {
            tandem::sleep_for(1ms);
            tandem::yield();
            allocate(50);
          }
        });
      group.wait();
      hash = tandem::statistics().schedule_hash;
    });
    return hash;
  };
  EXPECT_EQ(hash_with(0), hash_with(kBuffer));
}

TEST_P(TraceTest, AFullDiskIsAnErrorThatNamesThePath) {
  tandem::run(options(), [&] {
    try {
      tandem::write_trace("/dev/full");
      ADD_FAILURE() << "written";
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code(), std::errc::no_space_on_device);
      EXPECT_NE(std::string(error.what()).find("tandem::write_trace(\"/dev/full\")"), std::string::npos);
    }
  });
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/full")) << "replaced by a file";
}

TEST_P(TraceTest, AnUnwritablePathIsAnErrorThatLeavesNothing) {
  const std::filesystem::path missing = path().parent_path() / "missing" / "run.trace";
  tandem::run(options(), [&] {
    try {
      tandem::write_trace(missing);
      ADD_FAILURE() << "written to " << missing;
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code(), std::errc::no_such_file_or_directory);
      EXPECT_NE(std::string(error.what()).find(missing.string()), std::string::npos) << error.what();
    }
  });
  tandem::Options options = this->options();
  options.trace = missing;
  testing::internal::CaptureStderr();
  EXPECT_EQ(tandem::run(options, [] { return 3; }), 3);
  EXPECT_NE(testing::internal::GetCapturedStderr().find(missing.string()), std::string::npos);
  EXPECT_TRUE(std::filesystem::is_empty(path().parent_path()));
}

TEST_P(TraceTest, OutsideOfARunIsAnError) { EXPECT_THROW(tandem::write_trace(path()), std::logic_error); }

}  // namespace
}  // namespace tandem_test
