#pragma once
// Requests to a processor. The global poll word counts the processors that have any, so that a safepoint costs one load.

#include "runtime/seam/processor.h"

namespace tandem::seam {

/// From any thread. Sequentially consistent: handshake.h argues with the order "post request, then read status".
inline void post_request(Processor& processor, std::uint32_t bits) {
  if (processor.requests.fetch_or(bits, std::memory_order_seq_cst) == 0)
    detail::global_words.poll.fetch_add(1, std::memory_order_relaxed);
}

/// Takes all requests; by the driver of the processor. Acquire: pairs with post_request's release half.
inline std::uint32_t take_requests(Processor& processor) {
  const std::uint32_t bits = processor.requests.exchange(0, std::memory_order_acq_rel);
  if (bits != 0) detail::global_words.poll.fetch_sub(1, std::memory_order_relaxed);
  return bits;
}

/// Withdraws one request, served on the processor's behalf; by its driver or claimer.
inline void withdraw_request(Processor& processor, std::uint32_t bit) {
  const std::uint32_t before = processor.requests.fetch_and(~bit, std::memory_order_acq_rel);
  if (before == bit) detail::global_words.poll.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace tandem::seam
