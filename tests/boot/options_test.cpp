// Options from code and environment: what is taken, what is refused, and what the refusal says.
#include "runtime/boot/options.h"

#include <chrono>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/boot/option_kinds.h"

namespace tandem::boot {
namespace {

using namespace std::chrono_literals;

Options resolve(const std::vector<std::string>& environment, const Options& from_code = {}) {
  std::vector<const char*> pointers;
  for (const std::string& entry : environment) pointers.push_back(entry.c_str());
  pointers.push_back(nullptr);
  return resolve_options(from_code, pointers.data());
}

std::string refusal(const std::vector<std::string>& environment, const Options& from_code = {}) {
  try {
    resolve(environment, from_code);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "(not refused)";
}

TEST(Options, DefaultsAreAllowed) {
  const Options options = resolve({});
  EXPECT_EQ(options.processors, available_cpus());
  EXPECT_EQ(options.collector, Options::Collector::concurrent);
  EXPECT_EQ(options.gc_percent, 100);
  EXPECT_EQ(options.stack_size_max, 262144u);
  EXPECT_EQ(options.shutdown_grace, 5s);
}

TEST(Options, MemoryAheadIsNoneOrAtLeastAHugePage) {
  EXPECT_EQ(resolve({}).memory_ahead, 8u << 20);
  EXPECT_EQ(resolve({"TANDEM_MEMORY_AHEAD=0"}).memory_ahead, 0u);
  EXPECT_EQ(resolve({"TANDEM_MEMORY_AHEAD=64M", "TANDEM_HUGE_PAGES=off"}).memory_ahead, 64u << 20);
  EXPECT_NE(refusal({"TANDEM_MEMORY_AHEAD=1M"}).find("2M to 1G"), std::string::npos)
      << refusal({"TANDEM_MEMORY_AHEAD=1M"});
}

TEST(Options, CpusArePositive) {
  EXPECT_GE(available_cpus(), 1u);
  EXPECT_LE(available_cpus(), kMaxProcessors);
}

TEST(Options, ASeedWithoutProcessorsMeansOne) {
  EXPECT_EQ(resolve({"TANDEM_SEED=7"}).processors, 1u);
  EXPECT_EQ(resolve({"TANDEM_SEED=7", "TANDEM_PROCESSORS=3"}).processors, 3u);
}

TEST(Options, TheEnvironmentOverridesTheCode) {
  Options from_code;
  from_code.gc_percent = 50;
  from_code.stop = Options::Stop::stop_the_world;
  from_code.processors = 3;
  const Options options = resolve({"PATH=/bin", "TANDEM_GC_PERCENT=200", "TANDEM_STOP=ragged"}, from_code);
  EXPECT_EQ(options.gc_percent, 200);
  EXPECT_EQ(options.stop, Options::Stop::ragged);
  EXPECT_EQ(options.processors, 3u) << "what the environment does not name stays";
}

TEST(Options, ABadValueOfTheCodeIsNoErrorWhenTheEnvironmentReplacesIt) {
  Options from_code;
  from_code.processors = 1000;
  EXPECT_EQ(resolve({"TANDEM_PROCESSORS=2"}, from_code).processors, 2u);
}

TEST(Options, EveryKindOfValueIsRead) {
  const Options options = resolve(
      {"TANDEM_MEMORY_LIMIT=3G", "TANDEM_STACK_SIZE_MAX=128K", "TANDEM_SHUTDOWN_GRACE=250ms",
       "TANDEM_SAFEPOINT_REPORT=2s", "TANDEM_SCHEDTRACE=1500", "TANDEM_GCTRACE=1", "TANDEM_MARK_ASSIST=off",
       "TANDEM_POISON_FREED=on", "TANDEM_COLLECTOR=none", "TANDEM_SEED=18446744073709551615", "TANDEM_GC_PERCENT=-1"});
  EXPECT_EQ(options.memory_limit, std::uint64_t{3} << 30);
  EXPECT_EQ(options.stack_size_max, 131072u);
  EXPECT_EQ(options.shutdown_grace, 250ms);
  EXPECT_EQ(options.safepoint_report, 2s);
  EXPECT_EQ(options.schedtrace, 1500ms);
  EXPECT_TRUE(options.gctrace);
  EXPECT_FALSE(options.mark_assist);
  EXPECT_TRUE(options.poison_freed);
  EXPECT_EQ(options.collector, Options::Collector::none);
  EXPECT_EQ(options.seed, ~std::uint64_t{0});
  EXPECT_EQ(options.gc_percent, -1);
}

TEST(Options, ARefusalNamesVariableValueAndWhatIsAllowed) {
  EXPECT_EQ(refusal({"TANDEM_PROCESSORS=zero"}),
            "tandem: TANDEM_PROCESSORS='zero': expected an integer from 1 to 256, or 0 (the CPUs this "
            "process may use)");
  EXPECT_EQ(refusal({"TANDEM_GC_PERCENT=4"}),
            "tandem: TANDEM_GC_PERCENT='4': expected an integer from 5 to 10000, or -1 (not by growth)");
  EXPECT_EQ(refusal({"TANDEM_STACK_SIZE_MAX=2G"}),
            "tandem: TANDEM_STACK_SIZE_MAX='2G': expected bytes (suffixes K, M, G) from 64K to 1G");
  EXPECT_EQ(refusal({"TANDEM_SHUTDOWN_GRACE=5m"}),
            "tandem: TANDEM_SHUTDOWN_GRACE='5m': expected a duration (ms or s) from 0ms to 3600s");
  EXPECT_EQ(refusal({"TANDEM_GCTRACE=yes"}), "tandem: TANDEM_GCTRACE='yes': expected on or off");
  EXPECT_EQ(refusal({"TANDEM_STOP=world"}), "tandem: TANDEM_STOP='world': expected one of ragged, stop_the_world");
}

TEST(Options, BadValuesOfTheCodeAreRefused) {
  Options options;
  options.processors = 257;
  EXPECT_EQ(refusal({}, options),
            "tandem: Options::processors = 257: expected an integer from 1 to 256, or 0 (the CPUs this "
            "process may use)");
  options = {};
  options.gc_percent = 0;
  EXPECT_NE(refusal({}, options), "(not refused)");
  options = {};
  options.stop = static_cast<Options::Stop>(9);
  EXPECT_EQ(refusal({}, options), "tandem: Options::stop = 9: expected one of ragged, stop_the_world");
  options = {};
  options.shutdown_grace = -1ms;
  EXPECT_NE(refusal({}, options), "(not refused)");
  options = {};
  options.slice = 0ms;
  EXPECT_NE(refusal({}, options), "(not refused)");
}

TEST(Options, TextThatIsNoValueIsRefused) {
  for (const char* entry :
       {"TANDEM_PROCESSORS=", "TANDEM_PROCESSORS= 4", "TANDEM_PROCESSORS=4 ", "TANDEM_PROCESSORS=+4",
        "TANDEM_PROCESSORS=-1", "TANDEM_PROCESSORS=4294967297", "TANDEM_PROCESSORS=0x4", "TANDEM_MEMORY_LIMIT=1.5G",
        "TANDEM_MEMORY_LIMIT=-5G", "TANDEM_MEMORY_LIMIT=17179869184G", "TANDEM_MEMORY_LIMIT=1KK",
        "TANDEM_MEMORY_LIMIT=K", "TANDEM_SHUTDOWN_GRACE=-1ms", "TANDEM_SHUTDOWN_GRACE=9223372036854775807s",
        "TANDEM_SHUTDOWN_GRACE=s", "TANDEM_COLLECTOR=Concurrent", "TANDEM_POISON_FREED="})
    EXPECT_NE(refusal({entry}), "(not refused)") << entry;
}

TEST(Options, ASlipOfThePenIsAnErrorOtherNamesAreNot) {
  EXPECT_EQ(refusal({"TANDEM_PROCESORS=4"}),
            "tandem: TANDEM_PROCESORS='4': there is no such option; did you mean TANDEM_PROCESSORS?");
  EXPECT_EQ(refusal({"TANDEM_GCPERCENT=50"}),
            "tandem: TANDEM_GCPERCENT='50': there is no such option; did you mean TANDEM_GC_PERCENT?");
  for (const char* entry : {"TANDEM_TEST_SCALE=0.1", "TANDEM_JOBS=2", "TANDEM_SKIP_PACKAGES=1", "TANDEM_SOURCE_DIR=/x",
                            "TANDEM_BINARY_DIR=/x", "TANDEM_CMAKE=cmake", "TANDEM_CXX=g++", "TANDEM_LAB=/x"})
    EXPECT_EQ(refusal({entry}), "(not refused)") << entry;
}

TEST(Options, TextReadsBackToTheSameOptions) {
  const Options changed =
      resolve({"TANDEM_PROCESSORS=7", "TANDEM_MEMORY_LIMIT=1537M", "TANDEM_SHUTDOWN_GRACE=1ms", "TANDEM_COLLECTOR=none",
               "TANDEM_GC_PERCENT=-1", "TANDEM_YIELD_EVERY_POLL=1", "TANDEM_COLLECT_EVERY=9"});
  const std::string text = text_of(changed);
  EXPECT_NE(text.find("TANDEM_MEMORY_LIMIT=1537M\n"), std::string::npos) << text;
  std::vector<std::string> lines;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = text.find('\n', from);
    lines.push_back(text.substr(from, end - from));
    from = end + 1;
  }
  EXPECT_EQ(lines.size(), option_fields().size());
  EXPECT_EQ(text_of(resolve(lines)), text);
  EXPECT_NE(text_of(resolve({})), text);
}

TEST(Options, NamesAreUnique) {
  std::set<std::string> variables;
  for (const OptionFieldPointer& field : option_fields()) EXPECT_TRUE(variables.insert(field->variable()).second);
}

TEST(OptionKinds, AShareIsANumberInItsRange) {
  const ShareOption share("mark_share", &Options::mark_share, 0.01, 0.9);
  Options options;
  for (const char* text : {"", "0,5", "inf", "nan", "half"}) EXPECT_FALSE(share.parse(text, options)) << text;
  EXPECT_TRUE(share.parse("0.3", options));
  EXPECT_EQ(share.complaint(options), "");
  EXPECT_EQ(share.text(options), "0.3");
  EXPECT_TRUE(share.parse("1", options));
  EXPECT_EQ(share.complaint(options), "expected a number from 0.01 to 0.9");
}

TEST(OptionText, BytesTakeTheLargestSuffixThatDivides) {
  EXPECT_EQ(bytes_text(0), "0");
  EXPECT_EQ(bytes_text(1000), "1000");
  EXPECT_EQ(bytes_text(1024), "1K");
  EXPECT_EQ(bytes_text(1536), "1536");
  EXPECT_EQ(bytes_text(std::uint64_t{5} << 20), "5M");
  EXPECT_EQ(bytes_text(std::uint64_t{2048} << 30), "2048G");
}

}  // namespace
}  // namespace tandem::boot
