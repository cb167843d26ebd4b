// What the library says when it is misused. Each message must name what is wrong, and the status tells a
// fatal error (2) from an abort.
#include <tandem/tandem.h>

#include <chrono>
#include <csignal>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>

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

TEST(MisuseDeathTest, ADeadlockInTheDestructorOfAWaitGroupSaysSo) {
  EXPECT_EXIT(tandem::run([] {
                auto never = tandem::make_channel<int>();
                tandem::WaitGroup group;
                group.go([=] { never->receive(); });
                throw std::runtime_error("not before the tasks have ended");
              }),
              fatal(), "deadlock!(.|\n)*main. .destructor of a wait group on 0x");
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

struct Misuse {
  const char* name;
  void (*commit)();
  const char* message;  // with the kind of the object, its address and the goroutine
};

class MisuseOfPrimitives : public testing::TestWithParam<Misuse> {};

TEST_P(MisuseOfPrimitives, SaysWhatOnWhichObjectByWhichGoroutine) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_EXIT(tandem::run([] { GetParam().commit(); }), fatal(), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    All, MisuseOfPrimitives,
    testing::Values(Misuse{"Mutex", [] { tandem::Mutex().unlock(); },
                           "unlock of a mutex that is not locked .Mutex 0x[0-9a-f]+, goroutine [0-9]+"},
                    Misuse{"SharedMutexWriter", [] { tandem::SharedMutex().unlock(); },
                           "not locked for writing .SharedMutex 0x[0-9a-f]+, goroutine [0-9]+"},
                    Misuse{"SharedMutexReader", [] { tandem::SharedMutex().unlock_shared(); },
                           "not locked for reading .SharedMutex 0x[0-9a-f]+, goroutine [0-9]+"},
                    Misuse{"WaitGroup", [] { tandem::WaitGroup().done(); },
                           "negative WaitGroup counter.* .WaitGroup 0x[0-9a-f]+, goroutine [0-9]+"},
                    Misuse{"Semaphore", [] { tandem::Semaphore permits(-1); }, "negative number of permits"},
                    Misuse{"Barrier", [] { tandem::Barrier barrier(0); }, "at least one party"}),
    [](const auto& misuse) { return misuse.param.name; });

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

TEST(MisuseDeathTest, ASelectorThatOutlivesItsRun) {
  const auto outlive = [] {
    std::optional<tandem::Selector> selector;
    tandem::run([&] { selector.emplace().otherwise([] {}); });
    selector.reset();
  };
  EXPECT_EXIT(outlive(), fatal(), "a case of a Selector has outlived the run");
}

TEST(MisuseDeathTest, ASelectorOutsideOfARun) {
  EXPECT_EXIT(tandem::Selector().otherwise(), fatal(),
              "case of a Selector was made on a thread that runs no goroutine");
  EXPECT_EXIT(tandem::Selector().select(), fatal(), "select was called on a thread that runs no goroutine");
}

TEST(MisuseDeathTest, TheNetworkOutsideOfARun) {
  EXPECT_EXIT(static_cast<void>(tandem::net::lookup("localhost")), fatal(), "lookup was called outside of tandem::run");
  EXPECT_EXIT(static_cast<void>(tandem::net::UnixStream::connect("/nowhere")), fatal(),
              "UnixStream::connect was called outside of tandem::run");
}

class MisuseOfBlocking : public testing::TestWithParam<Misuse> {};

TEST_P(MisuseOfBlocking, SaysThatItWasInside) {
  EXPECT_EXIT(tandem::run([] { tandem::blocking([] { GetParam().commit(); }); }), fatal(),
              std::string(GetParam().message) + " was called inside the f of blocking.f., where");
}

// What the debug checks find first is named as it was called, else as a dump names the wait.
INSTANTIATE_TEST_SUITE_P(
    All, MisuseOfBlocking,
    testing::Values(Misuse{"Sleep", [] { tandem::sleep_for(1ms); }, "(sleep|sleep_until)"},
                    Misuse{"Yield", [] { tandem::yield(); }, "yield"},
                    Misuse{"Select", [] { tandem::select(tandem::on_timeout(1h)); }, "select"},
                    Misuse{"Semaphore", [] { tandem::Semaphore(0).acquire(); }, "[Ss]emaphore.*acquire"},
                    Misuse{"Collect", [] { tandem::collect(); }, "collect"},
                    Misuse{"MakeLarge", [] { static_cast<void>(tandem::make_array<char>(1 << 20)); }, "make"},
                    Misuse{"MakeMany",
                           [] {
                             for (int i = 0; i < 10'000; ++i) static_cast<void>(tandem::make<int>(i));
                           },
                           "make"}),
    [](const auto& misuse) { return misuse.param.name; });

TEST(MisuseDeathTest, ReceivingInsideBlocking) {
  EXPECT_EXIT(tandem::run([] {
                const auto never = tandem::make_channel<int>();
                tandem::blocking([&] { never->receive(); });
              }),
              fatal(), "(receive|the constructor of a tandem::Local) was called inside the f of blocking.f., where");
}

TEST(MisuseDeathTest, DebugChecksFindWhatTakesNoSlowPathInsideBlocking) {
  if (!tandem::detail::kDebugChecks) GTEST_SKIP() << "a release build does not look there";
  EXPECT_EXIT(tandem::run([] { tandem::blocking([] { static_cast<void>(tandem::make<int>(1)); }); }), fatal(),
              "make was called inside the f of blocking");
  EXPECT_EXIT(tandem::run([] {
                const tandem::Local<int> number = tandem::make<int>(1);
                tandem::blocking([&] { return *tandem::Local<int>(number); });
              }),
              fatal(), "the constructor of a tandem::Local was called inside the f of blocking");
  EXPECT_EXIT(tandem::run([] { tandem::blocking([] { tandem::go([] {}); }); }), fatal(),
              "go was called inside the f of blocking");
}

TEST(Misuse, AStackSizeOutOfRangeIsRefused) {
  const auto complaint_about = [](std::uint64_t bytes) -> std::string {
    try {
      tandem::go(tandem::GoOptions{.stack_size_max = bytes}, [] {});
    } catch (const std::invalid_argument& refused) {
      return refused.what();
    }
    return "";
  };
  constexpr std::uint64_t kLeast = std::uint64_t{64} << 10, kMost = std::uint64_t{1} << 30;
  tandem::run([&] {
    for (const std::uint64_t bytes : {std::uint64_t{1}, kLeast - 1, kMost + 1, ~std::uint64_t{0}}) {
      const std::string complaint = complaint_about(bytes);
      EXPECT_NE(complaint.find("GoOptions::stack_size_max = " + std::to_string(bytes)), std::string::npos) << complaint;
      EXPECT_NE(complaint.find("65536 (64 KiB) to 1073741824 (1 GiB)"), std::string::npos) << complaint;
    }
    for (const std::uint64_t bytes : {std::uint64_t{0}, kLeast, kMost}) EXPECT_EQ(complaint_about(bytes), "");
  });
}

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
