#pragma once
// The bytes of Go's execution trace, version 1 ("go 1.19 trace"): events, texts and stacks. What may follow what is
// go_trace.h's business. The format: golang/go, src/internal/trace (src/internal/trace/internal/oldtrace since Go 1.23).

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tandem::boot {

/// The events that we write, by their numbers in the format. Behind each: its arguments after the time.
enum class GoEvent : std::uint8_t {
  kBatch = 1,       // not an event: begins the events of a processor
  kFrequency = 2,   // not an event
  kStack = 3,       // not an event
  kGomaxprocs = 4,  // processors, stack
  kProcStart = 5,   // thread
  kProcStop = 6,
  kGCStart = 7,  // sequence number, stack
  kGCDone = 8,
  kGCSTWStart = 9,  // kind
  kGCSTWDone = 10,
  kGCSweepStart = 11,  // stack
  kGCSweepDone = 12,   // bytes swept, bytes reclaimed
  kGoCreate = 13,      // goroutine, its stack, stack
  kGoStart = 14,       // goroutine, sequence number
  kGoEnd = 15,
  kGoSched = 17,  // stack; and so for all that give the processor up
  kGoPreempt = 18,
  kGoSleep = 19,
  kGoBlock = 20,
  kGoUnblock = 21,  // goroutine, sequence number, stack
  kGoBlockSend = 22,
  kGoBlockRecv = 23,
  kGoBlockSelect = 24,
  kGoBlockSync = 25,
  kGoBlockCond = 26,
  kGoBlockNet = 27,
  kGoSysCall = 28,  // stack
  kGoSysExit = 29,  // goroutine, sequence number, time (0: now)
  kGoSysBlock = 30,
  kGoWaiting = 31,     // goroutine
  kGoInSyscall = 32,   // goroutine
  kHeapAlloc = 33,     // bytes
  kHeapGoal = 34,      // bytes
  kString = 37,        // not an event
  kGoStartLabel = 41,  // goroutine, sequence number, text
  kGoBlockGC = 42,
  kGCMarkAssistStart = 43,  // stack
  kGCMarkAssistDone = 44,
};

class GoTraceFormat {
 public:
  /// Adds an event to those of a processor. Their times, in ns, must not decrease.
  void event(std::uint64_t processor, GoEvent type, std::uint64_t time, std::initializer_list<std::uint64_t> arguments);

  /// The number of a text, which is not empty. From 1 on.
  std::uint64_t text(std::string_view text);
  /// The number of a stack of functions with these names (text numbers), innermost first. From 1 on; 0 is none.
  std::uint64_t stack(const std::vector<std::uint64_t>& functions);

  std::string encode() const;

 private:
  struct Stream {
    std::uint64_t first_time = 0, last_time = 0;
    std::string bytes;
  };
  std::map<std::uint64_t, Stream> streams_;  // by processor
  std::unordered_map<std::string, std::uint64_t> texts_;
  std::map<std::vector<std::uint64_t>, std::uint64_t> stacks_;
};

}  // namespace tandem::boot
