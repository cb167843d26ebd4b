// Options as a program meets them: run() refuses bad ones before anything starts, and the good ones have
// their effect.
#include <tandem/tandem.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using tandem::Options;

/// Sets a variable for as long as it lives.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  ~Variable() { ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

std::string line_of(const std::string& text, const std::string& variable) {
  const std::size_t start = text.find(variable + "=");
  return start == std::string::npos ? "(none)" : text.substr(start, text.find('\n', start) - start);
}

TEST(OptionsOfARun, ABadVariableIsRefusedBeforeMainRuns) {
  Variable variable("TANDEM_PROCESSORS", "zero");
  bool ran = false;
  try {
    tandem::run([&] { ran = true; });
    ADD_FAILURE() << "run took it";
  } catch (const std::invalid_argument& error) {
    EXPECT_NE(std::string(error.what()).find("TANDEM_PROCESSORS='zero'"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("1 to 256"), std::string::npos) << error.what();
  }
  EXPECT_FALSE(ran);
}

TEST(OptionsOfARun, ARefusalLeavesNothingBehind) {
  EXPECT_THROW(tandem::run({.gc_percent = 1}, [] {}), std::invalid_argument);
  EXPECT_EQ(tandem::run([] { return 5; }), 5);
}

TEST(OptionsOfARun, TheEnvironmentOverridesTheCode) {
  Variable variable("TANDEM_PROCESSORS", "3");
  std::string inside;
  tandem::run({.processors = 2}, [&] { inside = tandem::options_as_text(); });
  EXPECT_EQ(line_of(inside, "TANDEM_PROCESSORS"), "TANDEM_PROCESSORS=3");
}

TEST(OptionsOfARun, TextTellsWhatIsInForceInsideAndTheDefaultsOutside) {
  std::string inside;
  tandem::run({.processors = 2, .gc_percent = 321}, [&] { inside = tandem::options_as_text(); });
  EXPECT_EQ(line_of(inside, "TANDEM_GC_PERCENT"), "TANDEM_GC_PERCENT=321");
  EXPECT_EQ(line_of(tandem::options_as_text(), "TANDEM_GC_PERCENT"), "TANDEM_GC_PERCENT=100");
}

TEST(OptionsOfARun, TheCollectorNoneNeverCollects) {
  tandem::run({.collector = Options::Collector::none}, [] {
    for (int index = 0; index < 300'000; ++index) (void)tandem::make<std::array<std::uint64_t, 8>>();
    EXPECT_EQ(tandem::statistics().cycles, 0u);
  });
}

TEST(OptionsOfARun, CollectEveryStartsCycles) {
  Options options;
  options.collect_every = 50;
  tandem::run(options, [] {
    for (int index = 0; index < 300'000; ++index) (void)tandem::make<std::array<std::uint64_t, 8>>();
    EXPECT_GT(tandem::statistics().cycles, 2u);
  });
}

TEST(OptionsOfARun, StopTheWorldHoldsProcessorsRaggedDoesNot) {
  for (const auto stop : {Options::Stop::ragged, Options::Stop::stop_the_world}) {
    Options options;
    options.processors = 2;
    options.stop = stop;
    tandem::run(options, [&] {
      for (int round = 0; round < 3; ++round) tandem::collect();
      const tandem::Statistics now = tandem::statistics();
      EXPECT_GE(now.cycles, 3u);
      if (stop == Options::Stop::ragged) {
        EXPECT_EQ(now.longest_all_stopped_ns, 0u);
        EXPECT_EQ(now.times_held, 0u);
      } else {
        EXPECT_GT(now.times_held, 0u);
      }
    });
  }
}

TEST(OptionsOfARun, OnUnhandledReplacesTermination) {
  static std::string seen;
  static std::string goroutine_name;
  seen.clear();
  Options options;
  options.on_unhandled = [](const Options::Unhandled& unhandled) noexcept {
    goroutine_name = unhandled.goroutine_name;
    try {
      std::rethrow_exception(unhandled.exception);
    } catch (const std::exception& error) {
      seen = error.what();
    }
  };
  EXPECT_EQ(tandem::run(options,
                        [] {
                          std::atomic<bool> thrown{false};
                          tandem::go(tandem::GoOptions{.name = "thrower"}, [&] {
                            thrown = true;
                            throw std::runtime_error("gone wrong");
                          });
                          while (!thrown) tandem::yield();
                          tandem::sleep_for(20ms);
                          return 9;
                        }),
            9);
  EXPECT_EQ(seen, "gone wrong");
  EXPECT_EQ(goroutine_name, "thrower");
}

TEST(OptionsOfARun, StatisticsOutliveTheRun) {
  tandem::run([] { tandem::collect(); });
  EXPECT_GE(tandem::statistics().cycles, 1u);
  EXPECT_GT(tandem::statistics().time_to_safepoint.count, 0u);
  tandem::run([] {});
  EXPECT_EQ(tandem::statistics().goroutines, 0u);
}

TEST(HistogramSnapshot, PercentilesAreBucketsEndsAndNeverAboveTheMaximum) {
  tandem::HistogramSnapshot snapshot;
  EXPECT_EQ(snapshot.percentile(0.5), 0u);
  snapshot.count = 10;
  snapshot.max_ns = 95;
  snapshot.sum_ns = 200;
  snapshot.buckets = {{10, 5}, {20, 4}, {100, 1}};
  EXPECT_EQ(snapshot.percentile(0), 10u);
  EXPECT_EQ(snapshot.percentile(0.5), 10u);
  EXPECT_EQ(snapshot.percentile(0.51), 20u);
  EXPECT_EQ(snapshot.percentile(0.9), 20u);
  EXPECT_EQ(snapshot.percentile(0.99), 95u);
  EXPECT_EQ(snapshot.percentile(1), 95u);
  EXPECT_EQ(snapshot.mean_ns(), 20.0);
}

}  // namespace
