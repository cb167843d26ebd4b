#include "runtime/boot/go_trace_words.h"

#include <cstdlib>
#include <cxxabi.h>
#include <memory>

namespace tandem::boot {

GoEvent block_event(std::string_view reason) {
  struct Word {
    std::string_view reason;
    GoEvent event;
  };
  static constexpr Word kWords[] = {
      {"sleep", GoEvent::kGoSleep},
      {"channel send", GoEvent::kGoBlockSend},
      {"channel receive", GoEvent::kGoBlockRecv},
      {"select", GoEvent::kGoBlockSelect},
      {"mutex lock", GoEvent::kGoBlockSync},
      {"shared mutex lock", GoEvent::kGoBlockSync},
      {"shared mutex read lock", GoEvent::kGoBlockSync},
      {"semaphore acquire", GoEvent::kGoBlockSync},
      {"wait group", GoEvent::kGoBlockSync},
      {"destructor of a wait group", GoEvent::kGoBlockSync},
      {"barrier", GoEvent::kGoBlockSync},
      {"task group", GoEvent::kGoBlockSync},
      {"condition variable", GoEvent::kGoBlockCond},
      {"network read", GoEvent::kGoBlockNet},
      {"network write", GoEvent::kGoBlockNet},
      {"accept", GoEvent::kGoBlockNet},
      {"connect", GoEvent::kGoBlockNet},
      {"collection", GoEvent::kGoBlockGC},
      {"allocation stall", GoEvent::kGoBlockGC},
      {"the sweep", GoEvent::kGoBlockGC},
  };
  for (const Word& word : kWords)
    if (word.reason == reason) return word.event;
  return GoEvent::kGoBlock;
}

std::string_view work_label(seam::TraceKind kind) {
  switch (kind) {
    case seam::TraceKind::kMarkIdle: return "GC (idle)";
    case seam::TraceKind::kMarkHeld: return "GC (dedicated)";
    case seam::TraceKind::kSweep: return "sweep (idle)";
    default: return "GC (fractional)";
  }
}

std::string label_text(std::uint64_t label) {
  const auto* const text = reinterpret_cast<const char*>(label & ~seam::kTraceName);
  const std::string shown = (label & seam::kTraceName) != 0 ? text : demangled_type(text);
  return shown.empty() ? "goroutine" : shown;
}

std::string demangled_type(const char* name) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(abi::__cxa_demangle(name, nullptr, nullptr, &status), &std::free);
  return status == 0 ? text.get() : name;
}

}  // namespace tandem::boot
