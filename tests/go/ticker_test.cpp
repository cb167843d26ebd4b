// What Go's time/tick_test.go checks.
#include "tests/go/go_test.h"

#include <stdexcept>

namespace tandem {
namespace {

using namespace test;

class GoTicker : public GoTest {};
TANDEM_ON_PROCESSORS(GoTicker);

// Ticks may be missed by a slow receiver, but none comes before its time, and after a reset the new period counts.
TEST_P(GoTicker, TicksNotEarlyAlsoAfterAResetAndNotAfterAStop) {
  run_clean([] {
    constexpr auto kPeriod = 2ms;
    auto start = Clock::now();
    Ticker ticker(kPeriod);
    for (int i = 1; i <= 5; ++i) EXPECT_GE(ticker.channel()->receive().value() - start, i * kPeriod);
    start = Clock::now();
    ticker.reset(2 * kPeriod);
    for (int i = 1; i <= 5; ++i) EXPECT_GE(ticker.channel()->receive().value() - start, i * 2 * kPeriod);
    ticker.stop();
    static_cast<void>(ticker.channel()->try_receive());  // a tick may have come before the stop
    sleep_for(2 * kPeriod);
    EXPECT_EQ(ticker.channel()->size(), 0u);
  });
}

TEST_P(GoTicker, StopRightAfterATick) {
  run_clean([] {
    for (int i = 0; i < 3; ++i) {
      Ticker ticker(2ms);
      EXPECT_TRUE(receive_in_time(ticker.channel()));
      ticker.stop();
    }
  });
}

TEST_P(GoTicker, APeriodMustBePositive) {
  run_clean([] {
    EXPECT_THROW(Ticker(-1ns), std::invalid_argument);
    EXPECT_THROW(Ticker(0s), std::invalid_argument);
    Ticker ticker(1ms);
    EXPECT_THROW(ticker.reset(0s), std::invalid_argument);
    EXPECT_THROW(ticker.reset(-1ns), std::invalid_argument);
    EXPECT_TRUE(receive_in_time(ticker.channel())) << "and the ticker goes on as it was";
  });
}

}  // namespace
}  // namespace tandem
