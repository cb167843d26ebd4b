// The writer of Go's execution traces: whatever is recorded, and in whatever order, what it writes is consistent.
#include "runtime/boot/go_trace.h"

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/boot/go_trace_format.h"
#include "runtime/boot/go_trace_words.h"
#include "tests/support/go_trace.h"

namespace tandem_test {
namespace {

using tandem::boot::GoEvent;
using tandem::boot::Recording;
using tandem::seam::TraceKind;

constexpr std::uint64_t kBegin = 1'000'000, kEnd = 2'000'000;
constexpr std::uint32_t kOut = Recording::kOutside;

std::uint64_t text(const char* static_text) { return reinterpret_cast<std::uint64_t>(static_text); }

std::uint64_t name(const char* static_text) { return text(static_text) | tandem::seam::kTraceName; }

struct Recorded : Recording {
  explicit Recorded(std::uint32_t processor_count = 2) {
    processors = processor_count;
    begin_ns = kBegin;
    end_ns = kEnd;
  }
  Recorded& at(std::uint64_t time, std::uint32_t processor, TraceKind kind, std::uint64_t goroutine = 0,
               std::uint64_t argument = 0) {
    Recording::Event event;
    event.time_ns = kBegin + time;
    event.processor = processor;
    event.kind = kind;
    event.goroutine = goroutine;
    event.argument = argument;
    events.push_back(event);
    return *this;
  }
  Recorded& span(std::uint64_t begin, std::uint64_t end, std::uint32_t processor, TraceKind kind,
                 std::uint64_t goroutine) {
    return at(end, processor, kind, goroutine, kBegin + begin);
  }
  GoTrace written() const {
    GoTrace trace(tandem::boot::go_trace(*this));
    EXPECT_EQ(trace.check(), "");
    return trace;
  }
};

const GoTraceEvent& only(const GoTrace& trace, unsigned type) {
  EXPECT_EQ(trace.count(type), 1u) << type;
  for (const GoTraceEvent& event : trace.events)
    if (event.type == type) return event;
  throw std::runtime_error("no event of type " + std::to_string(type));
}

TEST(GoTraceWriter, WritesWhatWasRecorded) {
  const GoTrace trace = Recorded()
                            .at(10, 0, TraceKind::kProcessorStart, 0, 3)
                            .at(20, 0, TraceKind::kCreate, 5, name("reader"))
                            .at(30, 0, TraceKind::kStart, 5)
                            .at(40, 0, TraceKind::kBlock, 5, text("channel receive"))
                            .at(50, 0, TraceKind::kUnblock, 5)
                            .at(60, 1, TraceKind::kStart, 5)
                            .at(70, 1, TraceKind::kYield, 5)
                            .at(80, 1, TraceKind::kStart, 5)
                            .at(90, 1, TraceKind::kEnd, 5)
                            .written();
  EXPECT_EQ(trace.types(), (std::vector<unsigned>{kGoCreate, kGoStart, kGoBlockRecv, kGoUnblock, kGoStart, kGoSched,
                                                  kGoStart, kGoEnd}));
  EXPECT_EQ(trace.created(), (std::multiset<std::string>{"reader"}));
  const GoTraceEvent& blocked = only(trace, kGoBlockRecv);
  EXPECT_EQ(trace.stacks.at(blocked.arguments[0]), (std::vector<std::string>{"channel receive", "reader"}));
  EXPECT_EQ(blocked.time, 41u);
  EXPECT_EQ(only(trace, kGoUnblock).processor, 0u);
  EXPECT_EQ(only(trace, kGoEnd).processor, 1u);
}

TEST(GoTraceWriter, OrdersByTime) {
  const GoTrace trace = Recorded()
                            .at(60, 1, TraceKind::kEnd, 5)
                            .at(50, 1, TraceKind::kStart, 5)
                            .at(20, 0, TraceKind::kCreate, 5)
                            .written();
  EXPECT_EQ(trace.types(), (std::vector<unsigned>{kGoCreate, kGoStart, kGoEnd}));
}

// The judge of these tests, and Go's reader, refuse what comes of the next test's records without a repair.
TEST(GoTraceWriter, AStartBeforeItsWakeUpIsNoTrace) {
  tandem::boot::GoTraceFormat format;
  const std::uint64_t stack = format.stack({format.text("goroutine")});
  format.event(0, GoEvent::kGoCreate, 1, {5, stack, 0});
  format.event(0, GoEvent::kGoStart, 2, {5, 1});
  format.event(0, GoEvent::kGoBlock, 3, {stack});
  format.event(1, GoEvent::kGoStart, 4, {5, 2});
  format.event(0, GoEvent::kGoUnblock, 5, {5, 3, 0});
  format.event(1, GoEvent::kGoEnd, 6, {});
  EXPECT_NE(GoTrace(format.encode()).check(), "");
}

TEST(GoTraceWriter, AWakeUpRecordedAfterItsStartIsMoved) {
  const GoTrace trace = Recorded()
                            .at(20, 0, TraceKind::kCreate, 5)
                            .at(30, 0, TraceKind::kStart, 5)
                            .at(40, 0, TraceKind::kBlock, 5, text("mutex lock"))
                            .at(50, 1, TraceKind::kStart, 5)
                            .at(55, 0, TraceKind::kUnblock, 5)
                            .at(60, 1, TraceKind::kEnd, 5)
                            .written();
  EXPECT_EQ(trace.types(), (std::vector<unsigned>{kGoCreate, kGoStart, kGoBlockSync, kGoUnblock, kGoStart, kGoEnd}));
  EXPECT_EQ(only(trace, kGoUnblock).processor, 0u);
}

TEST(GoTraceWriter, AWakeUpThatIsMissingIsMadeUp) {
  const GoTrace trace = Recorded()
                            .at(20, 0, TraceKind::kCreate, 5)
                            .at(30, 0, TraceKind::kStart, 5)
                            .at(40, 0, TraceKind::kBlockingBegin, 5)
                            .at(50, 1, TraceKind::kStart, 5)
                            .at(60, 1, TraceKind::kBlock, 5, text("sleep"))
                            .at(70, 1, TraceKind::kStart, 5)
                            .at(80, 1, TraceKind::kEnd, 5)
                            .written();
  EXPECT_EQ(trace.types(), (std::vector<unsigned>{kGoCreate, kGoStart, kGoSysCall, kGoSysBlock, kGoSysExit, kGoStart,
                                                  kGoSleep, kGoUnblock, kGoStart, kGoEnd}));
  EXPECT_EQ(only(trace, kGoUnblock).processor, GoTrace::kOutside);
}

TEST(GoTraceWriter, ADoubleOrStrayWakeUpIsLeftOut) {
  const GoTrace trace = Recorded()
                            .at(20, 0, TraceKind::kCreate, 5)
                            .at(25, 0, TraceKind::kUnblock, 5)
                            .at(30, 0, TraceKind::kStart, 5)
                            .at(35, 1, TraceKind::kUnblock, 5)
                            .at(40, 0, TraceKind::kEnd, 5)
                            .at(45, 1, TraceKind::kUnblock, 5)
                            .at(50, 1, TraceKind::kStart, 5)
                            .written();
  EXPECT_EQ(trace.types(), (std::vector<unsigned>{kGoCreate, kGoStart, kGoEnd}));
}

// What a ring has cut off: 5 was running, 6 waiting, 7 runnable, 8 in blocking(f).
TEST(GoTraceWriter, WhatWasThereBeforeIsThereWhenTheTraceBegins) {
  const GoTrace trace = Recorded()
                            .at(10, 1, TraceKind::kHeapBytes, 0, 4096)
                            .at(15, 0, TraceKind::kUnblock, 6)
                            .at(20, 0, TraceKind::kBlock, 5, text("sleep"))
                            .at(25, 1, TraceKind::kStart, 7)
                            .at(30, kOut, TraceKind::kBlockingEnd, 8)
                            .at(35, 0, TraceKind::kStart, 6)
                            .written();
  for (const GoTraceEvent& event : trace.events)
    if (event.type == kGoCreate || event.type == kGoWaiting || event.type == kGoInSyscall) {
      EXPECT_EQ(event.time, 0u);
    }
  EXPECT_EQ(trace.count(kGoCreate), 4u);
  EXPECT_EQ(only(trace, kGoWaiting).arguments[0], 6u);
  EXPECT_EQ(only(trace, kGoInSyscall).arguments[0], 8u);
  for (const GoTraceEvent& event : trace.events)
    if (event.type == kGoStart && event.arguments[0] == 5) {
      EXPECT_EQ(event.time, 0u);
    }
}

TEST(GoTraceWriter, ARecordedTimeIsADeadline) {
  const GoTrace trace = Recorded()
                            .at(10, 0, TraceKind::kCreate, 5)
                            .at(kEnd - kBegin + 1, 0, TraceKind::kStart, 5)
                            .at(kEnd - kBegin + 2, 0, TraceKind::kCreate, 6)
                            .written();
  EXPECT_EQ(trace.types(), std::vector<unsigned>{kGoCreate});
  Recorded before;
  before.at(10, 0, TraceKind::kStart, 5).at(20, 0, TraceKind::kCreate, 6, name("late"));
  before.events[0].time_ns = kBegin - 1;
  EXPECT_EQ(before.written().types(), std::vector<unsigned>{kGoCreate});
}

TEST(GoTraceWriter, GoroutinesWithoutEventsAreShownAsTheyAre) {
  Recorded recording;
  recording.begin_ns = recording.end_ns;
  recording.goroutines = {{5, tandem::seam::kWaiting, kOut, "channel receive", "worker"},
                          {6, tandem::seam::kRunning, 1, "", "main"},
                          {7, tandem::seam::kRunnable, kOut, "start", "worker"},
                          {8, tandem::seam::kBlocked, kOut, "blocking call", ""},
                          {9, tandem::seam::kDead, kOut, "", ""}};
  const GoTrace trace = recording.written();
  EXPECT_EQ(trace.created(), (std::multiset<std::string>{"worker", "main", "worker", "goroutine"}));
  EXPECT_EQ(trace.stacks.at(only(trace, kGoBlockRecv).arguments[0]),
            (std::vector<std::string>{"channel receive", "worker"}));
  EXPECT_EQ(trace.count(kGoSysBlock), 1u);
  EXPECT_EQ(only(trace, kGoPreempt).processor, 1u);  // the end of the trace
}

TEST(GoTraceWriter, AQuantumInterruptsTheGoroutine) {
  const GoTrace trace = Recorded()
                            .at(10, 0, TraceKind::kCreate, 5)
                            .at(20, 0, TraceKind::kStart, 5)
                            .span(30, 60, 0, TraceKind::kMarkFractional, 5)
                            .at(45, 0, TraceKind::kUnblock, 6)
                            .span(40, 50, 0, TraceKind::kMarkFractional, 5)  // within the other: not told twice
                            .at(70, 0, TraceKind::kEnd, 5)
                            .span(80, 90, 0, TraceKind::kMarkIdle, 0)
                            .span(80, 95, 1, TraceKind::kSweep, 0)
                            .written();
  std::vector<std::string> labels;
  for (const GoTraceEvent& event : trace.events)
    if (event.type == kGoStartLabel) labels.push_back(trace.texts.at(event.arguments[2]));
  EXPECT_EQ(labels, (std::vector<std::string>{"GC (fractional)", "GC (idle)", "sweep (idle)"}));
  EXPECT_EQ(trace.count(kGoPreempt), 1u);
  EXPECT_EQ(only(trace, kGoPreempt).time, 31u);
  // In the middle of a quantum it is the collector's goroutine that wakes another one.
  for (const GoTraceEvent& event : trace.events)
    if (event.type == kGoUnblock && event.arguments[0] == 6) {
      EXPECT_NE(event.goroutine, 5u);
    }
}

TEST(GoTraceWriter, AssistsAndSweepsAreTheGoroutinesOwn) {
  const GoTrace trace = Recorded()
                            .at(10, 0, TraceKind::kCreate, 5)
                            .at(20, 0, TraceKind::kStart, 5)
                            .span(30, 40, 0, TraceKind::kMarkAssist, 5)
                            .span(50, 60, 0, TraceKind::kSweep, 5)
                            .at(70, 0, TraceKind::kEnd, 5)
                            .written();
  EXPECT_EQ(trace.types(),
            (std::vector<unsigned>{kGoCreate, kGoStart, kAssistStart, kAssistDone, kSweepStart, kSweepDone, kGoEnd}));
}

TEST(GoTraceWriter, CyclesAndStopsThatBeganBefore) {
  const GoTrace trace = Recorded()
                            .at(10, kOut, TraceKind::kStopEnd)
                            .at(20, kOut, TraceKind::kCycleEnd)
                            .at(30, kOut, TraceKind::kCycleEnd)
                            .at(40, kOut, TraceKind::kCycleBegin, 0, 2)
                            .at(50, kOut, TraceKind::kStopBegin)
                            .written();
  EXPECT_EQ(trace.count(kGCStart), 2u);
  EXPECT_EQ(trace.count(kGCDone), 2u);
  EXPECT_EQ(trace.count(kSTWStart), 2u);
  EXPECT_EQ(trace.count(kSTWDone), 2u);
}

TEST(GoTraceWriter, NoHeapGoalIsNotWritten) {
  const GoTrace trace = Recorded()
                            .at(10, kOut, TraceKind::kHeapGoal, 0, ~std::uint64_t{0})
                            .at(20, kOut, TraceKind::kHeapGoal, 0, 1000)
                            .written();
  EXPECT_EQ(only(trace, kHeapGoal).arguments[0], 1000u);
}

TEST(GoTraceWriter, NamesAreThoseOfTypes) {
  EXPECT_EQ(tandem::boot::demangled_type("i"), "int");
  EXPECT_EQ(tandem::boot::demangled_type("?"), "?");
  // A goroutine's own name is none.
  EXPECT_EQ(Recorded().at(10, 0, TraceKind::kCreate, 5, name("i")).written().created().count("i"), 1u);
  EXPECT_EQ(Recorded().at(10, 0, TraceKind::kCreate, 5, text("i")).written().created().count("int"), 1u);
}

TEST(GoTraceWriter, ALabelIsKnownByItsEnd) {
  EXPECT_EQ(Recorded().at(10, 0, TraceKind::kEnd, 5, name("old")).written().created().count("old"), 1u);
}

TEST(GoTraceWriter, NothingIsATraceToo) { EXPECT_EQ(Recorded().written().types(), std::vector<unsigned>{}); }

/// Anything may be recorded, in any order.
TEST(GoTraceWriter, WhateverIsRecordedTheTraceIsConsistent) {
  std::mt19937_64 random(20);
  const auto below = [&](std::uint64_t bound) { return random() % bound; };
  for (int round = 0; round < 3000; ++round) {
    Recorded recording(static_cast<std::uint32_t>(1 + below(4)));
    const std::uint64_t goroutines = 1 + below(6);
    const std::uint64_t times = 1 + below(200);
    for (std::uint64_t i = 0, events = below(60); i < events; ++i) {
      const auto kind = static_cast<TraceKind>(below(static_cast<std::uint64_t>(TraceKind::kSweep) + 1));
      const std::uint64_t time = below(times);
      std::uint64_t argument = 0;
      if (kind >= TraceKind::kMarkFractional) argument = kBegin + below(time + 1);
      if (kind == TraceKind::kBlock) argument = text(below(2) != 0 ? "sleep" : "select");
      const auto processor = static_cast<std::uint32_t>(below(recording.processors + 1));
      const bool about_goroutine = kind <= TraceKind::kBlockingEnd;
      recording.at(time, processor == recording.processors ? kOut : processor, kind,
                   about_goroutine ? 1 + below(goroutines) : below(goroutines + 1), argument);
    }
    for (std::uint64_t id = 1; id <= goroutines + 2; ++id)
      if (below(2) != 0)
        recording.goroutines.push_back({id, static_cast<tandem::seam::GoroutineState>(below(5)),
                                        static_cast<std::uint32_t>(below(recording.processors)), "sleep", "live"});
    GoTrace trace(tandem::boot::go_trace(recording));
    ASSERT_EQ(trace.check(), "") << "round " << round;
  }
}

}  // namespace
}  // namespace tandem_test
