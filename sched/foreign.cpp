#include "sched/foreign.h"

#include <atomic>
#include <sched.h>

#include "sched/deadlock.h"
#include "sched/outside.h"
#include "sched/spawn.h"
#include "tandem/go.h"

namespace tandem::sched {

namespace {
constexpr std::uint64_t kClosed = std::uint64_t{1} << 63;
constinit std::atomic<std::uint64_t> gate{kClosed};  // kClosed | number of threads inside
constinit std::atomic<std::uint64_t> posts{0};       // posts between their begin and their end
constinit std::atomic<std::uint64_t> wakers{0};
}  // namespace

// Acquire and release throughout: who enters sees the run that was opened, who closes sees what those inside did.
void open_foreign_gate() { gate.fetch_and(~kClosed, std::memory_order_release); }

void close_foreign_gate() {
  gate.fetch_or(kClosed, std::memory_order_acq_rel);
  while ((gate.load(std::memory_order_acquire) & ~kClosed) != 0) ::sched_yield();
}

bool enter_foreign_gate() {
  if (!(gate.fetch_add(1, std::memory_order_acquire) & kClosed)) return true;
  leave_foreign_gate();
  return false;
}

void leave_foreign_gate() { gate.fetch_sub(1, std::memory_order_release); }

bool posts_under_way() { return posts.load(std::memory_order_acquire) != 0; }

std::uint64_t external_wakers() { return wakers.load(std::memory_order_acquire); }

}  // namespace tandem::sched

namespace tandem {

ExternalWaker::ExternalWaker() noexcept { sched::wakers.fetch_add(1, std::memory_order_relaxed); }

ExternalWaker::~ExternalWaker() {
  const bool running = sched::enter_foreign_gate();
  sched::wakers.fetch_sub(1, std::memory_order_release);
  if (!running) return;
  sched::report_if_deadlocked(nullptr);  // what was none while we existed may be one now
  sched::leave_foreign_gate();
}

namespace detail {

PostScope::PostScope() noexcept : open_(sched::enter_foreign_gate()) {
  if (open_) sched::posts.fetch_add(1, std::memory_order_acquire);
}
PostScope::~PostScope() {
  if (!open_) return;
  sched::posts.fetch_sub(1, std::memory_order_release);
  sched::leave_foreign_gate();
}

Embryo begin_post(const ClosureOperations& operations, std::size_t bytes) {
  sched::Goroutine& embryo = sched::begin_spawn(nullptr, operations, bytes, {});
  return {&embryo, embryo.closure};
}
void finish_post(Embryo embryo) noexcept {
  sched::finish_spawn(*static_cast<sched::Goroutine*>(embryo.goroutine), nullptr);
}
void abandon_post(Embryo embryo) noexcept {
  sched::abandon_spawn(*static_cast<sched::Goroutine*>(embryo.goroutine), nullptr);
}

}  // namespace detail

}  // namespace tandem
