#pragma once
// Runs each test body as the first goroutine of a whole runtime, once for each number of processors, and
// asserts that every goroutine which the body started has ended when it returns.

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include <gtest/gtest.h>

#include "tandem/go.h"
#include "tandem/runtime.h"
#include "tests/support/processor_counts.h"

namespace tandem::test {

/// Lets the others run until `condition` holds; false after 20 seconds (sanitizers are slow).
template <class Condition>
bool eventually(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    yield();
  }
  return true;
}

class OnProcessors : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  /// `body` is expected to leave no goroutine behind.
  void run_clean(const std::function<void()>& body, Options options = {}) {
    options.processors = GetParam();
    tandem::run(options, [&] {
      body();
      EXPECT_TRUE(eventually([] { return goroutine_count() == 1; }))
          << goroutine_count() << " goroutines are left, the first one included";
    });
  }
  /// `body` leaves goroutines that the end of the run has to cancel.
  void run_and_cancel(const std::function<void()>& body) {
    Options options;
    options.processors = GetParam();
    tandem::run(options, body);
  }
};

#define TANDEM_ON_PROCESSORS(Suite)                                      \
  INSTANTIATE_TEST_SUITE_P(P, Suite, ::tandem::test::processor_counts(), \
                           [](const auto& each) { return std::to_string(each.param); })

}  // namespace tandem::test
