#include "lab/report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <vector>

namespace lab {
namespace {

Run run_of(std::size_t variant, int round, double documents_per_second, double longest_stop_ns) {
  return {variant,
          round,
          round == 0,
          {{"metrics", {{"documents_per_second", documents_per_second}, {"longest_all_stopped_ns", longest_stop_ns}}},
           {"input_text", "/data: 3 documents"}}};
}

class ReportTest : public testing::Test {
 protected:
  ReportTest() {
    line_.variants = all_variants({{"stop", {"ragged", "stop_the_world"}}});
    line_.repeat = 3;
    for (int round = 0; round <= 3; ++round) {
      runs_.push_back(run_of(0, round, round == 0 ? 1 : 1000 * round, 0));
      runs_.push_back(run_of(1, round, 500, round == 2 ? 9e6 : 1e6));
    }
  }

  CommandLine line_;
  Machine machine_{.processor = "Test CPU",
                   .processors = 2,
                   .memory_bytes = 1u << 30,
                   .system = "Linux 6",
                   .compiler = "g++ 12",
                   .optimised = true};
  std::vector<lab::Run> runs_;  // qualified: testing::Test has a private Run
};

TEST_F(ReportTest, TheWarmUpDoesNotCount) {
  const Summary summary = summarise_metric(runs_, 0, "documents_per_second");
  EXPECT_EQ(summary.count, 3u);
  EXPECT_EQ(summary.median, 2000);
  EXPECT_EQ(summary.min, 1000);
}

TEST_F(ReportTest, TextSaysMachineInputCommandAndARowForEachVariant) {
  EXPECT_EQ(report_text({line_, "tandem-lab run index", machine_, runs_}, 100),
            "machine: Test CPU, 2 processors, 1.00 GiB, Linux 6; g++ 12\n"
            "input:   /data: 3 documents\n"
            "command: tandem-lab run index\n"
            "\n"
            "variant              documents/s   longest stop\n"
            "stop=ragged                2.00k           0 ns\n"
            "                     1.00..3.00k        0..0 ns\n"
            "stop=stop_the_world          500        9.00 ms\n"  // the largest, not the median
            "                        500..500  1.00..9.00 ms\n"
            "\nruns of each variant: 3, in turn, each a process of its own; medians (max and longest: the "
            "largest of "
            "all runs), below them min..max where there is room\n");
}

TEST_F(ReportTest, JsonHasEveryRunAndTheKnobs) {
  const nlohmann::json json = report_json({line_, "tandem-lab run index", machine_, runs_});
  EXPECT_EQ(json["command"], "tandem-lab run index");
  EXPECT_EQ(json["machine"]["processor"], "Test CPU");
  ASSERT_EQ(json["variants"].size(), 2u);
  const auto& second = json["variants"][1];
  EXPECT_EQ(second["knobs"]["stop"], "stop_the_world");
  ASSERT_EQ(second["runs"].size(), 4u);
  EXPECT_EQ(second["runs"][0]["warm_up"], true);
  EXPECT_EQ(second["runs"][2]["metrics"]["longest_all_stopped_ns"], 9e6);
  EXPECT_EQ(second["summary"]["longest_all_stopped_ns"]["median"], 1e6);
  EXPECT_EQ(second["summary"]["longest_all_stopped_ns"]["max"], 9e6);
}

}  // namespace
}  // namespace lab
