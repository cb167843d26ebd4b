#include "runtime/seam/handshake.h"

#include "runtime/base/assert.h"
#include "runtime/base/clock.h"
#include "runtime/base/spin_lock.h"
#include "runtime/seam/registry.h"
#include "runtime/seam/requests.h"

namespace tandem::seam {

void Handshake::reset(std::uint32_t processors, bool zealous) {
  processors_ = processors;
  zealous_ = zealous;
  busy_.store(false, std::memory_order_relaxed);
  put_off_.store(nullptr, std::memory_order_relaxed);
  number_.store(0, std::memory_order_relaxed);
  operation_.store(nullptr, std::memory_order_relaxed);
  remaining_.store(0, std::memory_order_relaxed);
}

const char* Handshake::name() const {
  const HandshakeOperation* operation = operation_.load(std::memory_order_acquire);
  return operation ? operation->name : "none";
}

void Handshake::request(const HandshakeOperation& operation, Processor& here) {
  if (!zealous_) [[likely]]
    return start(operation, here);
  put_off_.store(&operation, std::memory_order_seq_cst);
  start_put_off(here);
}

// Sequentially consistent, as is the store of `busy_` in complete_if_last(): either we see that the handshake in flight is
// complete, or its completion sees what we have put off.
void Handshake::start_put_off(Processor& here) {
  while (put_off_.load(std::memory_order_seq_cst) != nullptr && !busy_.exchange(true, std::memory_order_seq_cst)) {
    if (const HandshakeOperation* operation = put_off_.exchange(nullptr, std::memory_order_acq_rel))
      return start(*operation, here);
    busy_.store(false, std::memory_order_seq_cst);
  }
}

void Handshake::request_nothing(Processor& here) {
  static constexpr HandshakeOperation kNothing{"nothing", [](Processor&) {}, [](Processor&) {}};
  if (!busy_.exchange(true, std::memory_order_seq_cst)) start(kNothing, here);
}

void Handshake::start(const HandshakeOperation& operation, Processor& here) {
  TANDEM_CHECK(remaining_.load(std::memory_order_acquire) == 0, "a handshake is already in flight");
  operation_.store(&operation, std::memory_order_relaxed);
  remaining_.store(processors_, std::memory_order_relaxed);
  requested_at_ns_.store(base::now_ns(), std::memory_order_relaxed);
  // Release: pairs with the acquire in acknowledge() and pending_for(); publishes the three words above.
  const std::uint64_t number = number_.load(std::memory_order_relaxed) + 1;
  number_.store(number, std::memory_order_release);

  for (Processor& processor : registry.all_processors())
    if (&processor != &here) post_request(processor, kRequestHandshake);
  registry.world_stop.rouse(processors_);
  for (Processor& processor : registry.all_processors())
    if (&processor != &here) act_for_if_undriven(processor, here, number);
  acknowledge(here);
}

void Handshake::acknowledge(Processor& processor) {
  // A completion may have requested the next handshake meanwhile: serve until none is pending.
  for (;;) {
    const std::uint64_t number = number_.load(std::memory_order_acquire);
    if (processor.acknowledged.load(std::memory_order_relaxed) >= number) return;
    complete_if_last(run_for(processor, number), processor);
  }
}

// The caller drives or has claimed `subject`, so nobody else can acknowledge for it, and the handshake cannot complete
// before: operation_ and requested_at_ns_ stay as they are until the fetch_sub. True for the last acknowledgement.
bool Handshake::run_for(Processor& subject, std::uint64_t number) {
  operation_.load(std::memory_order_relaxed)->run(subject);
  subject.time_to_safepoint.record(base::now_ns() - requested_at_ns_.load(std::memory_order_relaxed));
  // Release: what the operation did to the processor is visible to who sees it acknowledged.
  subject.acknowledged.store(number, std::memory_order_release);
  // Acquire-release: the last one sees the effects of all operations before it runs the completion.
  return remaining_.fetch_sub(1, std::memory_order_acq_rel) == 1;
}

void Handshake::complete_if_last(bool last, Processor& here) {
  if (!last) return;
  operation_.load(std::memory_order_relaxed)->completed(here);
  if (!zealous_) [[likely]]
    return;
  busy_.store(false, std::memory_order_seq_cst);
  start_put_off(here);
}

void Handshake::act_for_if_undriven(Processor& subject, Processor& here, std::uint64_t number) {
  while (subject.acknowledged.load(std::memory_order_acquire) < number) {
    ProcessorStatus status = subject.status.load(std::memory_order_seq_cst);
    if (status == ProcessorStatus::kRunning) return;  // its worker has the request bit and will serve it
    if (status == ProcessorStatus::kClaimed ||
        !subject.status.compare_exchange_weak(status, ProcessorStatus::kClaimed, std::memory_order_acq_rel)) {
      base::cpu_relax();  // another requester acts for it, for one operation; or its worker is just taking it
      continue;
    }
    bool last = false;
    if (subject.acknowledged.load(std::memory_order_relaxed) < number) {
      last = run_for(subject, number);
      withdraw_request(subject, kRequestHandshake);
    }
    // Give the claim up first: the completion may request the next handshake, which wants this processor again.
    subject.status.store(status, std::memory_order_release);
    complete_if_last(last, here);
    return;
  }
}

}  // namespace tandem::seam
