#include "lab/table.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace lab {
namespace {

Table example() {
  Table table;
  table.add_column("", "variant");
  table.add_column("", "speed");
  table.add_column("delay", "p50");
  table.add_column("delay", "max");
  table.add_row({"stop=ragged", "12.3k", "1 µs", "20 µs"});
  table.add_detail_row({"", "11.0k..13.0k", "1..2 µs", "15..20 µs"});
  table.add_row({"b", "9", "3 µs", "4 µs"});
  return table;
}

TEST(Table, AlignsFiguresUnderTheirHeaders) {
  EXPECT_EQ(example().render(100),
            "                           ───── delay ──────\n"
            "variant             speed      p50        max\n"
            "stop=ragged         12.3k     1 µs      20 µs\n"
            "             11.0k..13.0k  1..2 µs  15..20 µs\n"
            "b                       9     3 µs       4 µs\n");
}

TEST(Table, LeavesDetailsOutWhereTheyDoNotFit) {
  const std::string text = example().render(40);
  EXPECT_EQ(text.find(".."), std::string::npos) << text;
  EXPECT_NE(text.find("stop=ragged  12.3k  1 µs  20 µs\n"), std::string::npos) << text;
}

TEST(Table, AGroupWiderThanItsColumnsWidensThem) {
  Table table;
  table.add_column("", "x");
  table.add_column("a long group", "m");
  table.add_row({"r", "1"});
  EXPECT_EQ(table.render(100), "   a long group\nx             m\nr             1\n");
}

TEST(Table, WithoutGroupsThereIsOneHeaderLine) {
  Table table;
  table.add_column("", "x");
  table.add_column("", "m");
  table.add_row({"r", "10"});
  EXPECT_EQ(table.render(100), "x   m\nr  10\n");
}

TEST(Table, RefusesARowOfAnotherLength) { EXPECT_THROW(example().add_row({"only one"}), std::logic_error); }

}  // namespace
}  // namespace lab
