// What the library says when it is misused. Each message must name what is wrong, and the status tells a
// fatal error (2) from an abort.
#include <tandem/tandem.h>

#include <chrono>
#include <csignal>
#include <mutex>
#include <stdexcept>

#include <gtest/gtest.h>

#include "runtime/context/sanitizers.h"

namespace {

using namespace std::chrono_literals;
using tandem::Options;

struct Node {
  tandem::Member<Node> next;
  int value = 0;
  void trace(tandem::Visitor& visit) const { visit(next); }
};

testing::ExitedWithCode fatal() { return testing::ExitedWithCode(2); }

TEST(MisuseDeathTest, ADeadlockIsReportedWithADumpOfEveryGoroutine) {
  EXPECT_EXIT(tandem::run([] {
                auto never = tandem::make_channel<int>();
                tandem::go(tandem::GoOptions{.name = "the-other-one"}, [=] { never->receive(); });
                never->receive();
              }),
              fatal(), "fatal: all goroutines are asleep - deadlock!(.|\n)*the-other-one");
}

TEST(MisuseDeathTest, AnExceptionThatLeavesAGoroutineTerminates) {
  EXPECT_EXIT(tandem::run([] {
                tandem::go(tandem::GoOptions{.name = "thrower"}, [] { throw std::runtime_error("gone wrong"); });
                tandem::sleep_for(10s);
              }),
              testing::KilledBySignal(SIGABRT), "thrower(.|\n)*gone wrong");
}

TEST(MisuseDeathTest, AStackOverflowNamesTheGoroutine) {
  struct Recursion {
    [[gnu::noinline]] static int descend(int depth) {
      volatile char frame[1024];
      frame[depth % 1024] = 1;
      if (depth == 1'000'000) return 0;  // a gigabyte further down
      return frame[depth % 1024] + descend(depth + 1) + frame[0];
    }
  };
  EXPECT_EXIT(tandem::run([] {
                tandem::go(tandem::GoOptions{.name = "deep"}, [] { Recursion::descend(0); });
                tandem::sleep_for(10s);
              }),
              fatal(), "deep");
}

TEST(MisuseDeathTest, UnlockingAnUnlockedMutex) {
  EXPECT_EXIT(tandem::run([] {
                tandem::Mutex mutex;
                mutex.unlock();
              }),
              fatal(), "unlock");
}

TEST(MisuseDeathTest, ANegativeWaitGroup) {
  EXPECT_EXIT(tandem::run([] {
                tandem::WaitGroup group;
                group.done();
              }),
              fatal(), "WaitGroup");
}

TEST(MisuseDeathTest, DereferencingNull) {
  EXPECT_EXIT(tandem::run([] {
                tandem::Local<Node> none;
                none->value = 1;
              }),
              fatal(), "dereferenced a null reference");
  EXPECT_EXIT(tandem::run([] {
                auto node = tandem::make<Node>();
                node->next->value = 1;
              }),
              fatal(), "dereferenced a null reference");
  EXPECT_EXIT(tandem::run([] {
                tandem::Persistent<Node> none;
                (*none).value = 1;
              }),
              fatal(), "dereferenced a null reference");
}

TEST(MisuseDeathTest, AFaultThatIsNoNullReferenceIsLeftAlone) {
#if defined(TANDEM_ADDRESS_SANITIZER) || defined(TANDEM_THREAD_SANITIZER)
  // Left to the sanitizer's handler, which was there before ours. (AddressSanitizer faults at the shadow of the address.)
  const auto left_alone = [](int status) { return !fatal()(status) && !testing::ExitedWithCode(0)(status); };
  const char* const message = "Sanitizer: SEGV on unknown address";
#else
  const testing::KilledBySignal left_alone(SIGSEGV);
  const char* const message = "";
#endif
  EXPECT_EXIT(tandem::run([] { *reinterpret_cast<volatile int*>(0x123450000) = 1; }), left_alone, message);
}

TEST(MisuseDeathTest, ParkingOutsideOfARun) { EXPECT_DEATH(tandem::sleep_for(1ms), "goroutine"); }

TEST(Misuse, SendAndCloseOnAClosedChannelThrow) {
  tandem::run([] {
    auto channel = tandem::make_channel<int>(1);
    channel->close();
    EXPECT_THROW(channel->send(1), tandem::ChannelClosed);
    EXPECT_THROW(channel->close(), tandem::ChannelClosed);
    EXPECT_EQ(channel->receive(), std::nullopt);
  });
}

TEST(Misuse, PostWhileNothingRunsSaysSo) {
  EXPECT_FALSE(tandem::post([] {}));
}

}  // namespace
