// Who is called when: edges remembered, late events dropped, waiters called exactly once.
#include "netpoll/descriptor.h"

#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/netpoll/record.h"

namespace tandem::netpoll {
namespace {

TEST(DescriptorTable, AnEventCallsTheWaiterOfItsDirectionOnce) {
  DescriptorTable table;
  const DescriptorId id = table.add();
  Record reader, writer;
  ASSERT_TRUE(table.arm(id, kRead, reader.waiter()));
  ASSERT_TRUE(table.arm(id, kWrite, writer.waiter()));
  EXPECT_EQ(table.waiters(), 2u);

  EXPECT_EQ(table.deliver(id, kReadable, nullptr), 1u);
  EXPECT_EQ(reader.calls, 1);
  EXPECT_EQ(reader.events, kReadable);
  EXPECT_EQ(writer.calls, 0);
  EXPECT_EQ(table.waiters(), 1u);

  EXPECT_EQ(table.deliver(id, kReadable | kWritable, nullptr), 1u) << "the reader is not there any more";
  EXPECT_EQ(reader.calls, 1);
  EXPECT_EQ(writer.calls, 1);
  EXPECT_EQ(table.waiters(), 0u);
}

TEST(DescriptorTable, AnErrorCallsBoth) {
  DescriptorTable table;
  const DescriptorId id = table.add();
  Record reader, writer;
  ASSERT_TRUE(table.arm(id, kRead, reader.waiter()));
  ASSERT_TRUE(table.arm(id, kWrite, writer.waiter()));
  EXPECT_EQ(table.deliver(id, kError, nullptr), 2u);
  EXPECT_EQ(reader.events, kError);
  EXPECT_EQ(writer.events, kError);
}

TEST(DescriptorTable, AnEdgeWithoutAWaiterIsRememberedOnce) {
  DescriptorTable table;
  const DescriptorId id = table.add();
  Record reader, writer;
  EXPECT_EQ(table.deliver(id, kReadable, nullptr), 0u);
  EXPECT_FALSE(table.arm(id, kRead, reader.waiter())) << "ready already: try the system call again";
  EXPECT_TRUE(table.arm(id, kWrite, writer.waiter())) << "the other direction is not ready";
  EXPECT_TRUE(table.arm(id, kRead, reader.waiter())) << "the edge has been consumed";
  EXPECT_EQ(reader.calls, 0);
}

TEST(DescriptorTable, AWaiterTakenBackIsNotCalled) {
  DescriptorTable table;
  const DescriptorId id = table.add();
  Record reader;
  ASSERT_TRUE(table.arm(id, kRead, reader.waiter()));
  EXPECT_TRUE(table.disarm(id, kRead));
  EXPECT_EQ(table.waiters(), 0u);
  EXPECT_FALSE(table.disarm(id, kRead));
  EXPECT_EQ(table.deliver(id, kReadable, nullptr), 0u);
  EXPECT_EQ(reader.calls, 0);
}

TEST(DescriptorTable, RemovingCallsWaitersWithClosed) {
  DescriptorTable table;
  const DescriptorId id = table.add();
  Record reader;
  ASSERT_TRUE(table.arm(id, kRead, reader.waiter()));
  EXPECT_TRUE(table.remove(id, nullptr));
  EXPECT_EQ(reader.calls, 1);
  EXPECT_EQ(reader.events, kClosed);
  EXPECT_FALSE(table.remove(id, nullptr));
  EXPECT_FALSE(table.arm(id, kRead, reader.waiter()));
}

TEST(DescriptorTable, ALateEventDoesNotReachTheNextUserOfTheSlot) {
  DescriptorTable table;
  const DescriptorId old_id = table.add();
  ASSERT_TRUE(table.remove(old_id, nullptr));
  const DescriptorId new_id = table.add();
  ASSERT_EQ(new_id.index, old_id.index);
  ASSERT_NE(new_id.generation, old_id.generation);

  Record reader;
  ASSERT_TRUE(table.arm(new_id, kRead, reader.waiter()));
  EXPECT_EQ(table.deliver(old_id, kReadable, nullptr), 0u);
  EXPECT_FALSE(table.disarm(old_id, kRead));
  EXPECT_EQ(reader.calls, 0);
  EXPECT_TRUE(table.disarm(new_id, kRead)) << "and the old name did not take its waiter away";
}

TEST(DescriptorTable, ReadinessOfAnEarlierUserOfTheSlotIsForgotten) {
  DescriptorTable table;
  const DescriptorId old_id = table.add();
  EXPECT_EQ(table.deliver(old_id, kReadable, nullptr), 0u);
  ASSERT_TRUE(table.remove(old_id, nullptr));
  const DescriptorId new_id = table.add();
  Record reader;
  EXPECT_TRUE(table.arm(new_id, kRead, reader.waiter()));
}

// D4.
TEST(DescriptorTable, WhoHasNotTriedIsRefusedOnceAReadMayStopShort) {
  DescriptorTable table;
  const DescriptorId id = table.add();
  Record reader;
  ASSERT_TRUE(table.arm(id, kRead, reader.waiter(), Known::kDrained));
  EXPECT_EQ(table.deliver(id, kReadable | kUncertain, nullptr), 1u);
  EXPECT_FALSE(table.arm(id, kRead, reader.waiter(), Known::kDrained))
      << "the end may have been reported with the bytes";
  EXPECT_FALSE(table.arm(id, kRead, reader.waiter(), Known::kDrained)) << "and it stays";
  EXPECT_TRUE(table.arm(id, kRead, reader.waiter())) << "but who has tried may wait";
  EXPECT_EQ(table.deliver(id, kUncertain, nullptr), 0u) << "by itself it is no readiness";
  EXPECT_TRUE(table.disarm(id, kRead));

  ASSERT_TRUE(table.remove(id, nullptr));
  const DescriptorId next = table.add();
  ASSERT_EQ(next.index, id.index);
  EXPECT_TRUE(table.arm(next, kRead, reader.waiter(), Known::kDrained)) << "the next user of the slot begins anew";
  EXPECT_TRUE(table.disarm(next, kRead));
  EXPECT_FALSE(table.arm(table.add(/*uncertain=*/true), kRead, reader.waiter(), Known::kDrained));
}

TEST(DescriptorTable, WhoHasNotTriedIsRefusedByAnEdgeAsAnyone) {
  DescriptorTable table;
  const DescriptorId id = table.add();
  Record reader;
  EXPECT_EQ(table.deliver(id, kReadable, nullptr), 0u);
  EXPECT_FALSE(table.arm(id, kRead, reader.waiter(), Known::kDrained));
  EXPECT_TRUE(table.arm(id, kRead, reader.waiter(), Known::kDrained));
  EXPECT_EQ(table.deliver(id, kReadable, nullptr), 1u);
}

TEST(DescriptorTable, UnknownNamesAreRefused) {
  DescriptorTable table;
  Record reader;
  for (const DescriptorId id : {DescriptorId{0, 1}, DescriptorId{70'000, 1}, DescriptorId{0xffffffff, 1}}) {
    EXPECT_FALSE(table.arm(id, kRead, reader.waiter()));
    EXPECT_FALSE(table.disarm(id, kRead));
    EXPECT_FALSE(table.remove(id, nullptr));
    EXPECT_EQ(table.deliver(id, kReadable, nullptr), 0u);
  }
}

TEST(DescriptorTable, ManyRegistrationsHaveNamesOfTheirOwn) {
  DescriptorTable table;
  std::vector<DescriptorId> ids;
  for (int count = 0; count < 1000; ++count) ids.push_back(table.add());
  for (std::size_t index = 0; index < ids.size(); ++index) EXPECT_EQ(ids[index].index, index);
  for (const DescriptorId id : ids) EXPECT_TRUE(table.remove(id, nullptr));
}

// D3: after disarm or remove has returned, the cookie may be destroyed. The callback checks that it has not
// been.
TEST(DescriptorTable, ACookieMayBeDestroyedAfterDisarm) {
  struct Cookie {
    std::atomic<bool> alive{true};
    std::atomic<int> calls{0};
  };
  static std::atomic<int> called_after_death;
  called_after_death = 0;
  DescriptorTable table;
  const DescriptorId id = table.add();
  std::atomic<bool> stop{false};
  std::thread poller([&] {
    while (!stop) table.deliver(id, kReadable, nullptr);
  });
  int fired = 0;
  while (fired < 200) {
    Cookie cookie;
    const Waiter waiter{[](void* argument, std::uint32_t, Processor*) {
                          auto& subject = *static_cast<Cookie*>(argument);
                          if (!subject.alive) ++called_after_death;
                          ++subject.calls;
                          if (!subject.alive) ++called_after_death;
                        },
                        &cookie};
    if (!table.arm(id, kRead, waiter)) continue;
    const bool taken_back = table.disarm(id, kRead);
    EXPECT_EQ(cookie.calls, taken_back ? 0 : 1);
    fired += cookie.calls;
    cookie.alive = false;
  }
  stop = true;
  poller.join();
  EXPECT_EQ(called_after_death, 0);
  EXPECT_EQ(table.waiters(), 0u);
}

}  // namespace
}  // namespace tandem::netpoll
