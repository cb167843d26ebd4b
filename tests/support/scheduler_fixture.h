#pragma once
// Runs a function as the first goroutine of a scheduler with a fake collector, and asserts that nothing is left over.

#include <exception>
#include <functional>
#include <memory>
#include <thread>

#include <gtest/gtest.h>

#include "runtime/seam/registry.h"
#include "sched/scheduler.h"
#include "sched/shared.h"
#include "tandem/go.h"
#include "tandem/runtime.h"
#include "tests/support/fake_collector.h"
#include "tests/support/processor_counts.h"

namespace tandem::test {

/// The number of goroutines that are not dead.
inline std::size_t goroutines_left() {
  std::size_t left = 0;
  seam::GoroutineTable& table = seam::registry.goroutines;
  for (std::size_t index = 0; index < table.used(); ++index)
    if (table.at(index).state.load() != seam::kDead) ++left;
  return left;
}

/// One run; `options.processors` must be set. An exception that leaves `body` leaves this.
inline void run_scheduler(const Options& options, FakeCollector& collector, seam::PollerPort* poller,
                          const std::function<void()>& body) {
  auto processors = std::make_unique<seam::Processor[]>(options.processors);
  sched::Scheduler scheduler;
  seam::Registry& registry = seam::registry;
  registry.options = &options;
  registry.processors = processors.get();
  registry.processor_count = options.processors;
  registry.collector = &collector;
  registry.poller = poller;
  registry.scheduler = &scheduler;
  registry.handshake.reset(options.processors);
  registry.world_stop.reset();

  struct Call {
    const std::function<void()>& body;
    std::exception_ptr exception;
  } call{body, nullptr};
  const seam::ClosureOperations operations{[](void* closure) {
                                             Call& self = *static_cast<Call*>(closure);
                                             try {
                                               self.body();
                                             } catch (...) {
                                               self.exception = std::current_exception();
                                             }
                                           },
                                           [](void*) noexcept {}};
  scheduler.start();
  scheduler.run_first(operations, &call);
  scheduler.stop();

  EXPECT_EQ(goroutines_left(), 0u);
  EXPECT_EQ(collector.attached.load(), options.processors);
  EXPECT_EQ(collector.detached.load(), options.processors);
  EXPECT_EQ(collector.finished_runs.load(), 1u);
  EXPECT_EQ(sched::shared, nullptr);
  registry.options = nullptr;
  registry.processors = nullptr;
  registry.processor_count = 0;
  registry.collector = nullptr;
  registry.poller = nullptr;
  registry.scheduler = nullptr;
  if (call.exception) std::rethrow_exception(call.exception);
}

inline void run_scheduler(const Options& options, const std::function<void()>& body) {
  FakeCollector collector;
  run_scheduler(options, collector, nullptr, body);
}

/// Every behaviour with 1, 2, 4 and 8 processors.
class OnProcessors : public testing::TestWithParam<std::uint32_t> {
 protected:
  Options options() const {
    Options result;
    result.processors = GetParam();
    return result;
  }
  void run(const std::function<void()>& body) { run_scheduler(options(), body); }
};

/// Waits by yielding until the condition holds.
template <typename Condition>
void wait_until(Condition&& condition) {
  while (!condition()) yield();
}

}  // namespace tandem::test
