#include "sched/ask_in_turn.h"

#include "runtime/seam/registry.h"
#include "runtime/seam/requests.h"
#include "sched/shared.h"

namespace tandem::sched {

void ask_in_turn(std::uint32_t request_bit) {
  const std::uint32_t count = seam::registry.processor_count;
  for (std::uint32_t tried = 0; tried < count; ++tried) {
    const std::uint32_t turn = shared->turn_to_be_asked.fetch_add(1, std::memory_order_relaxed);
    seam::Processor& processor = seam::registry.processors[turn % count];
    if (processor.status.load(std::memory_order_relaxed) != seam::ProcessorStatus::kRunning) continue;
    seam::post_request(processor, request_bit);
    return;
  }
}

}  // namespace tandem::sched
