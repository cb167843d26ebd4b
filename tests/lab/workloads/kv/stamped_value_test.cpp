#include "lab/workloads/kv/stamped_value.h"

#include <gtest/gtest.h>

namespace lab::kv_load {
namespace {

TEST(StampedValue, NamesItsKeyAndItsWrite) {
  EXPECT_EQ(key_name(42), "key:0000000042");
  EXPECT_EQ(stamped_value(42, 7, kStampBytes), "k0000000042:w0000000007 ");
  EXPECT_EQ(stamped_value(42, 7, 30), "k0000000042:w0000000007 k00000");
  EXPECT_EQ(stamped_value(4'294'967'295, 4'294'967'295, 24).size(), kStampBytes);
}

TEST(StampedValue, IsCheckedToItsLastByte) {
  for (const std::size_t bytes : {24u, 25u, 47u, 48u, 49u, 1000u}) {
    const std::string value = stamped_value(3, 5, bytes);
    ASSERT_EQ(value.size(), bytes);
    EXPECT_TRUE(is_stamped_value(value, 3, 5, bytes));
    EXPECT_FALSE(is_stamped_value(value, 3, 6, bytes));
    EXPECT_FALSE(is_stamped_value(value, 4, 5, bytes));
    EXPECT_FALSE(is_stamped_value(value.substr(1), 3, 5, bytes));
    EXPECT_FALSE(is_stamped_value(value + " ", 3, 5, bytes));
    for (std::size_t at = 0; at < bytes; ++at) {
      std::string wrong = value;
      wrong[at] ^= 1;
      EXPECT_FALSE(is_stamped_value(wrong, 3, 5, bytes)) << at;
    }
  }
  EXPECT_FALSE(is_stamped_value("", 3, 5, 24));
}

}  // namespace
}  // namespace lab::kv_load
