#pragma once
// Asking some running processor for something, each in its turn: the load of such requests is balanced over them.

#include <cstdint>

namespace tandem::sched {

/// Posts the request (seam::RequestBits) to the next processor in turn that a worker drives; none: nothing is done. From any
/// worker or the monitor.
void ask_in_turn(std::uint32_t request_bit);

}  // namespace tandem::sched
