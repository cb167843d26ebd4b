#include "runtime/context/cxx_state.h"

#include <cerrno>
#include <exception>
#include <gtest/gtest.h>
#include <stdexcept>
#include <string>
#include <thread>

#include "tests/context/fiber.h"

namespace tandem::context {
namespace {

// What a scheduler does around each run of a goroutine: its state in, its state out, the thread's own back.
void run_carried(Fiber& fiber, CxxState& state) {
  const CxxThreadState thread = CxxThreadState::of_this_thread();
  CxxState own;
  save(own, thread);
  restore(state, thread);
  fiber.resume();
  save(state, thread);
  restore(own, thread);
}

[[gnu::noinline]] void set_errno(int value) { errno = value; }
[[gnu::noinline]] int get_errno() { return errno; }

TEST(CxxState, DescribesTheCallingThread) {
  const CxxThreadState here = CxxThreadState::of_this_thread();
  EXPECT_EQ(here.errno_location, &errno);
  CxxThreadState there;
  std::thread([&] { there = CxxThreadState::of_this_thread(); }).join();
  EXPECT_NE(here.eh_globals, nullptr);
  EXPECT_NE(here.eh_globals, there.eh_globals);
  EXPECT_NE(here.errno_location, there.errno_location);
}

// Parks inside a handler and while unwinding, and goes on on another thread each time.
TEST(CxxState, CarriesExceptionsAndErrnoToAnotherThread) {
  Fiber fiber;
  CxxState state;
  std::string seen;
  int uncaught_inside = -1, uncaught_after_move = -1, errno_after_move = -1;
  struct YieldInDestructor {
    Fiber& fiber;
    int& before;
    int& after;
    ~YieldInDestructor() {
      before = std::uncaught_exceptions();
      fiber.yield();
      after = std::uncaught_exceptions();
    }
  };
  fiber.start([&] {
    try {
      YieldInDestructor guard{fiber, uncaught_inside, uncaught_after_move};
      throw std::runtime_error("first");
    } catch (const std::exception&) {
      try {
        set_errno(7);
        fiber.yield();
        errno_after_move = get_errno();
        throw;  // rethrows what this goroutine is handling
      } catch (const std::exception& error) {
        seen = error.what();
      }
    }
  });
  std::thread([&] {
    fiber.adopt();
    run_carried(fiber, state);
  }).join();
  EXPECT_EQ(state.uncaught, 1u);
  std::thread([&] {
    fiber.adopt();
    run_carried(fiber, state);
    EXPECT_EQ(std::current_exception(), nullptr);  // the thread's own state is back
    EXPECT_EQ(std::uncaught_exceptions(), 0);
  }).join();
  EXPECT_NE(state.caught, nullptr);
  EXPECT_EQ(state.saved_errno, 7);
  std::thread([&] {
    fiber.adopt();
    set_errno(3);
    run_carried(fiber, state);
    EXPECT_EQ(get_errno(), 3);
  }).join();
  EXPECT_TRUE(fiber.done());
  EXPECT_EQ(uncaught_inside, 1);
  EXPECT_EQ(uncaught_after_move, 1);
  EXPECT_EQ(errno_after_move, 7);
  EXPECT_EQ(seen, "first");
  EXPECT_EQ(state.caught, nullptr);
  EXPECT_EQ(state.uncaught, 0u);
}

}  // namespace
}  // namespace tandem::context
