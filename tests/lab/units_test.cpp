#include "lab/units.h"

#include <gtest/gtest.h>

namespace lab {
namespace {

TEST(Units, ThreeSignificantDigits) {
  EXPECT_EQ(format_value(0, Unit::nanoseconds), "0 ns");
  EXPECT_EQ(format_value(850, Unit::nanoseconds), "850 ns");
  EXPECT_EQ(format_value(1234, Unit::nanoseconds), "1.23 µs");
  EXPECT_EQ(format_value(12'340'000, Unit::nanoseconds), "12.3 ms");
  EXPECT_EQ(format_value(123.4e9, Unit::nanoseconds), "123 s");
  EXPECT_EQ(format_value(5312, Unit::count), "5.31k");
  EXPECT_EQ(format_value(0.25, Unit::share), "25.0%");
  EXPECT_EQ(format_value(1536.0 * 1024, Unit::bytes), "1.50 MiB");
  EXPECT_EQ(format_value(7, Unit::count), "7");
  EXPECT_EQ(format_value(7.5, Unit::count), "7.50");
}

TEST(Units, RoundingNeverShowsAThousand) {
  EXPECT_EQ(format_value(999.4, Unit::nanoseconds), "999 ns");
  EXPECT_EQ(format_value(999.6, Unit::nanoseconds), "1.00 µs");
  EXPECT_EQ(format_value(999'600, Unit::nanoseconds), "1.00 ms");
  EXPECT_EQ(format_value(9.996e3, Unit::nanoseconds), "10.0 µs");
}

TEST(Units, SpreadNamesTheUnitOnceIfItCan) {
  EXPECT_EQ(format_spread(1.5e6, 1.75e6, Unit::nanoseconds), "1.50..1.75 ms");
  EXPECT_EQ(format_spread(900, 1.75e6, Unit::nanoseconds), "900 ns..1.75 ms");
  EXPECT_EQ(format_spread(0, 1.75e6, Unit::nanoseconds), "0..1.75 ms");
  EXPECT_EQ(format_spread(0, 0, Unit::nanoseconds), "0..0 ns");
}

TEST(Units, WidthCountsCodePoints) {
  EXPECT_EQ(display_width("1.00 µs"), 7u);
  EXPECT_EQ(display_width("──"), 2u);
  EXPECT_EQ(display_width(""), 0u);
}

}  // namespace
}  // namespace lab
