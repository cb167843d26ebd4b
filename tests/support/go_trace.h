#pragma once
// A reader of Go's execution traces that knows of the format what tests need, and a judge of whether Go's own reader would take
// the trace for a consistent one. Shares no code with the writer.

#include <cstdint>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace tandem_test {

/// The numbers that the format gives to events.
enum GoEventNumber : unsigned {
  kBatch = 1,
  kFrequency = 2,
  kStack = 3,
  kGomaxprocs = 4,
  kProcStart = 5,
  kProcStop = 6,
  kGCStart = 7,
  kGCDone = 8,
  kSTWStart = 9,
  kSTWDone = 10,
  kSweepStart = 11,
  kSweepDone = 12,
  kGoCreate = 13,
  kGoStart = 14,
  kGoEnd = 15,
  kGoSched = 17,
  kGoPreempt = 18,
  kGoSleep = 19,
  kGoBlock = 20,
  kGoUnblock = 21,
  kGoBlockSend = 22,
  kGoBlockRecv = 23,
  kGoBlockSelect = 24,
  kGoBlockSync = 25,
  kGoBlockCond = 26,
  kGoBlockNet = 27,
  kGoSysCall = 28,
  kGoSysExit = 29,
  kGoSysBlock = 30,
  kGoWaiting = 31,
  kGoInSyscall = 32,
  kHeapAlloc = 33,
  kHeapGoal = 34,
  kString = 37,
  kGoStartLabel = 41,
  kGoBlockGC = 42,
  kAssistStart = 43,
  kAssistDone = 44,
};

struct GoTraceEvent {
  std::uint64_t time, processor;
  unsigned type;
  std::vector<std::uint64_t> arguments;  // without the time
  std::uint64_t goroutine = 0;           // that runs on the processor, or is started; filled in by check()
};

class GoTrace {
 public:
  static constexpr std::uint64_t kOpening = 1'000'000, kOutside = 1'000'002;

  explicit GoTrace(std::string_view bytes) { decode(bytes); }
  static GoTrace of_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("no file " + path);
    std::ostringstream all;
    all << file.rdbuf();
    return GoTrace(all.str());
  }

  /// In their order: by time; of equal ones those before the beginning first.
  std::vector<GoTraceEvent> events;
  std::map<std::uint64_t, std::string> texts;
  std::map<std::uint64_t, std::vector<std::string>> stacks;  // names of functions, innermost first

  /// What is wrong with the first event that is; empty: all are consistent.
  std::string check();

  std::size_t count(unsigned type) const {
    std::size_t number = 0;
    for (const GoTraceEvent& event : events) number += event.type == type;
    return number;
  }
  /// The types in their order, less what every trace has: "ProcStart" and such.
  std::vector<unsigned> types() const {
    std::vector<unsigned> all;
    for (const GoTraceEvent& event : events)
      if (event.type != kGomaxprocs && event.type != kProcStart && event.type != kProcStop) all.push_back(event.type);
    return all;
  }
  /// After check(): ns that goroutines other than the collector's ran, or all.
  std::uint64_t running_ns(bool collector_too) const;
  /// Names of created goroutines.
  std::multiset<std::string> created() const {
    std::multiset<std::string> names;
    for (const GoTraceEvent& event : events)
      if (event.type == kGoCreate) names.insert(stacks.at(event.arguments.at(1)).at(0));
    return names;
  }

 private:
  static std::uint64_t number(std::string_view& from) {
    std::uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      if (from.empty() || shift > 63) throw std::runtime_error("a number ends early or not at all");
      const auto byte = static_cast<unsigned char>(from.front());
      from.remove_prefix(1);
      value |= std::uint64_t{byte & 0x7fu} << shift;
      if ((byte & 0x80) == 0) return value;
    }
  }
  void decode(std::string_view bytes);
};

inline void GoTrace::decode(std::string_view bytes) {
  constexpr std::string_view kHeader("go 1.19 trace\0\0\0", 16);
  if (bytes.substr(0, 16) != kHeader) throw std::runtime_error("header");
  bytes.remove_prefix(16);
  std::uint64_t processor = 0, time = 0, frequency = 0;
  std::map<std::uint64_t, std::vector<GoTraceEvent>> by_processor;
  std::map<std::uint64_t, std::vector<std::uint64_t>> frames;
  while (!bytes.empty()) {
    const auto first = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    const unsigned type = first & 0x3f;
    if (type == kString) {
      const std::uint64_t id = number(bytes), length = number(bytes);
      if (id == 0 || length == 0 || length > bytes.size() || texts.contains(id)) throw std::runtime_error("string");
      texts[id] = bytes.substr(0, length);
      bytes.remove_prefix(length);
      continue;
    }
    std::vector<std::uint64_t> arguments;
    if (first >> 6 < 3) {
      for (unsigned i = 0; i < (first >> 6) + 1u; ++i) arguments.push_back(number(bytes));
    } else {
      const std::uint64_t length = number(bytes);
      std::string_view inside = bytes.substr(0, length);
      bytes.remove_prefix(length);
      while (!inside.empty()) arguments.push_back(number(inside));
    }
    if (type == kFrequency) {
      frequency = arguments.at(0);
    } else if (type == kStack) {
      if (arguments.at(0) == 0 || arguments.size() != 2 + 4 * arguments.at(1)) throw std::runtime_error("stack");
      for (std::size_t i = 2; i < arguments.size(); i += 4) {
        if (arguments[i] == 0) throw std::runtime_error("a frame without an address");
        frames[arguments[0]].push_back(arguments[i + 1]);
      }
    } else if (type == kBatch) {
      processor = arguments.at(0);
      time = arguments.at(1);
    } else {
      static const std::map<unsigned, std::size_t> kArguments{
          {kGomaxprocs, 2},   {kProcStart, 1},   {kProcStop, 0},    {kGCStart, 2},     {kGCDone, 0},
          {kSTWStart, 1},     {kSTWDone, 0},     {kSweepStart, 1},  {kSweepDone, 2},   {kGoCreate, 3},
          {kGoStart, 2},      {kGoEnd, 0},       {kGoSched, 1},     {kGoPreempt, 1},   {kGoSleep, 1},
          {kGoBlock, 1},      {kGoUnblock, 3},   {kGoBlockSend, 1}, {kGoBlockRecv, 1}, {kGoBlockSelect, 1},
          {kGoBlockSync, 1},  {kGoBlockCond, 1}, {kGoBlockNet, 1},  {kGoSysCall, 1},   {kGoSysExit, 3},
          {kGoSysBlock, 0},   {kGoWaiting, 1},   {kGoInSyscall, 1}, {kHeapAlloc, 1},   {kHeapGoal, 1},
          {kGoStartLabel, 3}, {kGoBlockGC, 1},   {kAssistStart, 1}, {kAssistDone, 0}};
      time += arguments.at(0);
      arguments.erase(arguments.begin());
      if (arguments.size() != kArguments.at(type))
        throw std::runtime_error("arguments of type " + std::to_string(type));
      by_processor[processor].push_back({time, processor, type, arguments});
    }
  }
  if (frequency != 1'000'000'000) throw std::runtime_error("frequency");
  for (const auto& [id, functions] : frames)
    for (const std::uint64_t function : functions) stacks[id].push_back(texts.at(function));
  // A merge: the earliest of those that are next on their processors; the opening before all others.
  std::map<std::uint64_t, std::size_t> next;
  for (;;) {
    const GoTraceEvent* earliest = nullptr;
    const auto before = [](const GoTraceEvent& a, const GoTraceEvent& b) {
      return a.time != b.time ? a.time < b.time : a.processor == kOpening && b.processor != kOpening;
    };
    for (const auto& [id, list] : by_processor)
      if (next[id] < list.size() && (earliest == nullptr || before(list[next[id]], *earliest)))
        earliest = &list[next[id]];
    if (earliest == nullptr) break;
    events.push_back(*earliest);
    ++next[earliest->processor];
  }
}

inline std::string GoTrace::check() {
  enum State { kNone, kRunnable, kRunning, kWaits, kDead };
  struct Goroutine {
    State state = kNone;
    std::uint64_t sequence = 0, processor = 0;
    bool assisting = false;
  };
  struct Processor {
    std::uint64_t running = 0;
    bool driven = false, sweeping = false;
  };
  std::map<std::uint64_t, Goroutine> goroutines;
  std::map<std::uint64_t, Processor> processors;
  bool collecting = false, stopped = false;
  std::uint64_t cycles = 0, last_time = 0;
  for (std::size_t i = 0; i < events.size(); ++i) {
    GoTraceEvent& event = events[i];
    Processor& here = processors[event.processor];
    const auto wrong = [&](const std::string& what) {
      return "event " + std::to_string(i) + " of type " + std::to_string(event.type) + " on processor " +
             std::to_string(event.processor) + " (running " + std::to_string(here.running) + ") at " +
             std::to_string(event.time) + ": " + what;
    };
    if (event.time < last_time) return wrong("before the one before");
    last_time = event.time;
    event.goroutine = here.running;
    const auto stack_is_known = [&](std::size_t argument) {
      return event.arguments[argument] == 0 || stacks.contains(event.arguments[argument]);
    };
    Goroutine& self = goroutines[here.running];
    const std::uint64_t id = event.arguments.empty() ? 0 : event.arguments[0];
    switch (event.type) {
      case kProcStart:
        if (here.driven) return wrong("started twice");
        here.driven = true;
        break;
      case kProcStop:
        if (!here.driven || here.running != 0) return wrong("not started, or still running");
        here.driven = false;
        break;
      case kGCStart:
        if (collecting || id != cycles++) return wrong("a cycle within a cycle");
        collecting = true;
        break;
      case kGCDone:
        if (!collecting) return wrong("no cycle");
        collecting = false;
        break;
      case kSTWStart:
        if (stopped || id > 1) return wrong("a stop within a stop");
        stopped = true;
        break;
      case kSTWDone:
        if (!stopped) return wrong("no stop");
        stopped = false;
        break;
      case kSweepStart:
        if (here.sweeping || here.running == 0) return wrong("sweeps already, or no goroutine does");
        here.sweeping = true;
        break;
      case kSweepDone:
        if (!here.sweeping) return wrong("does not sweep");
        here.sweeping = false;
        break;
      case kAssistStart:
      case kAssistDone:
        if (here.running == 0 || self.assisting == (event.type == kAssistStart)) return wrong("assist");
        self.assisting = event.type == kAssistStart;
        break;
      case kGoCreate:
        if (goroutines[id].state != kNone || id == 0) return wrong("exists");
        if (!stacks.contains(event.arguments[1]) || !stack_is_known(2)) return wrong("without a stack");
        goroutines[id].state = kRunnable;
        goroutines[id].sequence = 1;
        break;
      case kGoWaiting:
      case kGoInSyscall:
        if (goroutines[id].state != kRunnable || goroutines[id].sequence != 1) return wrong("not new");
        goroutines[id].state = kWaits;
        goroutines[id].sequence = 2;
        break;
      case kGoStart:
      case kGoStartLabel:
        if (goroutines[id].state != kRunnable) return wrong("starts goroutine that is not runnable");
        if (goroutines[id].sequence++ != event.arguments[1]) return wrong("sequence");
        if (here.running != 0) return wrong("another runs");
        if (event.type == kGoStartLabel && !texts.contains(event.arguments[2])) return wrong("label");
        goroutines[id].state = kRunning;
        here.running = event.goroutine = id;
        break;
      case kGoUnblock:
      case kGoSysExit:
        if (goroutines[id].state != kWaits) return wrong("wakes goroutine that does not wait");
        if (goroutines[id].sequence++ != event.arguments[1]) return wrong("sequence");
        goroutines[id].state = kRunnable;
        break;
      case kGoSysCall:
        if (here.running == 0) return wrong("nothing runs");
        break;
      case kGomaxprocs:
      case kHeapAlloc:
      case kHeapGoal: break;
      default:
        if (here.running == 0 || self.state != kRunning) return wrong("nothing runs");
        if (self.assisting || here.sweeping) return wrong("leaves in the middle of collector work");
        if (!event.arguments.empty() && !stack_is_known(0)) return wrong("stack");
        self.state = event.type == kGoEnd                                 ? kDead
                     : event.type == kGoSched || event.type == kGoPreempt ? kRunnable
                                                                          : kWaits;
        here.running = 0;
        break;
    }
  }
  for (const auto& [id, processor] : processors)
    if (processor.running != 0) return "processor " + std::to_string(id) + " still runs something at the end";
  return collecting || stopped ? "a cycle or a stop goes on at the end" : "";
}

inline std::uint64_t GoTrace::running_ns(bool collector_too) const {
  std::map<std::uint64_t, const GoTraceEvent*> since;  // by processor
  std::uint64_t sum = 0;
  for (const GoTraceEvent& event : events) {
    switch (event.type) {
      case kGoStart: since[event.processor] = &event; break;
      case kGoStartLabel: since[event.processor] = collector_too ? &event : nullptr; break;
      case kGoEnd:
      case kGoSched:
      case kGoPreempt:
      case kGoSleep:
      case kGoBlock:
      case kGoBlockSend:
      case kGoBlockRecv:
      case kGoBlockSelect:
      case kGoBlockSync:
      case kGoBlockCond:
      case kGoBlockNet:
      case kGoBlockGC:
      case kGoSysBlock:
        if (const GoTraceEvent* const start = since[event.processor]) sum += event.time - start->time;
        since[event.processor] = nullptr;
        break;
      default: break;
    }
  }
  return sum;
}

}  // namespace tandem_test
