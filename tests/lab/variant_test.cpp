#include "lab/variant.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include <stdexcept>

namespace lab {
namespace {

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "no exception";
}

TEST(Variant, NoKnobsMakeOneVariant) {
  const auto variants = all_variants({});
  ASSERT_EQ(variants.size(), 1u);
  EXPECT_EQ(variants[0].label(), "defaults");
}

TEST(Variant, SeveralKnobsMakeTheirProduct) {
  const auto variants = all_variants({{"stop", {"ragged", "stop_the_world"}}, {"processors", {"1", "2"}}});
  ASSERT_EQ(variants.size(), 4u);
  EXPECT_EQ(variants[0].label(), "stop=ragged processors=1");
  EXPECT_EQ(variants[1].label(), "stop=ragged processors=2");
  EXPECT_EQ(variants[2].label(), "stop=stop_the_world processors=1");
  EXPECT_EQ(variants[3].label(), "stop=stop_the_world processors=2");
}

TEST(Variant, ParsesAKnob) {
  const KnobValues knob = parse_knob("mark_order=prefetch:16,lifo");
  EXPECT_EQ(knob.knob, "mark_order");
  EXPECT_EQ(knob.values, (std::vector<std::string>{"prefetch:16", "lifo"}));
  EXPECT_EQ(environment_name(knob.knob), "TANDEM_MARK_ORDER");
}

TEST(Variant, VariantsAreGivenOneByOne) {
  const auto variants = with_each(all_variants({{"processors", {"1", "2"}}}),
                                  {parse_variant("defaults"), parse_variant("barrier=none stop=stop_the_world")});
  ASSERT_EQ(variants.size(), 4u);
  EXPECT_EQ(variants[0].label(), "processors=1");
  EXPECT_EQ(variants[1].label(), "processors=1 barrier=none stop=stop_the_world");
  EXPECT_EQ(variants[3].label(), "processors=2 barrier=none stop=stop_the_world");
  EXPECT_NE(message_of([] { parse_variant("stop=a,b"); }).find("'stop=a,b' gives several values"), std::string::npos);
  EXPECT_NE(message_of([] { parse_variant(""); }).find("is empty"), std::string::npos);
  const auto twice = message_of([] { with_each(all_variants({{"stop", {"a"}}}), {parse_variant("stop=b")}); });
  EXPECT_NE(twice.find("'stop' is given twice"), std::string::npos) << twice;
}

TEST(Variant, BadKnobsAreNamed) {
  EXPECT_NE(message_of([] { parse_knob("stop"); }).find("'stop' is not of the form"), std::string::npos);
  EXPECT_NE(message_of([] { parse_knob("Stop=x"); }).find("lower case"), std::string::npos);
  EXPECT_NE(message_of([] { parse_knob("=x"); }).find("'=x'"), std::string::npos);
  EXPECT_NE(message_of([] { parse_knob("stop="); }).find("empty value"), std::string::npos);
  EXPECT_NE(message_of([] { parse_knob("stop=a,,b"); }).find("'a,,b' has an empty value"), std::string::npos);
  EXPECT_NE(message_of([] { parse_knob("stop=a,b,a"); }).find("'a' twice"), std::string::npos);
  const auto twice = message_of([] { all_variants({{"stop", {"a"}}, {"stop", {"b"}}}); });
  EXPECT_NE(twice.find("'stop' is given twice"), std::string::npos) << twice;
}

TEST(Variant, GoTwinsAreOneForEachSettingThatGoHas) {
  const auto variants =
      with_go_twins({parse_variant("defaults"), parse_variant("stop=ragged processors=1"),
                     parse_variant("processors=1 gc_percent=50"),
                     parse_variant("gc_percent=50 stop=ragged processors=1"), parse_variant("roots=conservative")});
  ASSERT_EQ(variants.size(), 8u);
  EXPECT_EQ(variants[4].label(), "roots=conservative");
  EXPECT_EQ(variants[5].label(), "Go");
  EXPECT_EQ(variants[6].label(), "Go processors=1");
  EXPECT_EQ(variants[7].label(), "Go gc_percent=50 processors=1");
  for (std::size_t i = 0; i < variants.size(); ++i) EXPECT_EQ(variants[i].go_twin, i >= 5);
}

}  // namespace
}  // namespace lab
