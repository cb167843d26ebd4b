#include "sched/park.h"

#include "tests/support/scheduler_fixture.h"

namespace tandem::test {
namespace {

using sched::Goroutine;

class Park : public OnProcessors {};
INSTANTIATE_TEST_SUITE_P(Processors, Park, test::processor_counts());

struct ClaimedOnTheWay {
  std::uint64_t ticket = 0;
  std::atomic<bool> claimed{false};
  std::atomic<bool> resumed{false};
};

// A deadline may pass, and its timer claim the ticket, while commit finds that there is nothing to wait for. Then the timer
// wakes the goroutine, and only it: woken twice, it would have been lost or run on two processors.
TEST_P(Park, WhoClaimedTheTicketWakesAlsoWhenCommitRefuses) {
  run([] {
    for (int round = 0; round < 100; ++round) {
      ClaimedOnTheWay park;
      Goroutine* parked = nullptr;
      go([&] {
        Goroutine& self = *seam::current_goroutine();
        parked = &self;
        park.ticket = sched::open_ticket(self);
        const auto commit = [](Goroutine& goroutine, void* argument) {
          auto& what = *static_cast<ClaimedOnTheWay*>(argument);
          what.claimed = sched::claim(goroutine, what.ticket);
          return false;
        };
        sched::park(self, "test", nullptr, commit, &park);
        park.resumed = true;
      });
      wait_until([&] { return park.claimed.load(); });
      for (int i = 0; i < 20; ++i) yield();
      ASSERT_FALSE(park.resumed) << "woken by somebody who had not claimed the ticket";
      sched::ready(*parked, sched::processor_of(*seam::current_goroutine()));
      wait_until([] { return goroutine_count() == 1; });
      ASSERT_TRUE(park.resumed);
    }
  });
}

}  // namespace
}  // namespace tandem::test
