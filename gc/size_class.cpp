#include "tandem/detail/size_class.h"

#include <array>

namespace tandem::detail {

namespace {
constexpr std::size_t kEntries = kLargestCellBytes / kCellAlignment + 1;

constexpr std::array<std::uint8_t, kEntries> build_table() {
  std::array<std::uint8_t, kEntries> table{};
  for (std::size_t units = 0; units < kEntries; ++units)
    table[units] = static_cast<std::uint8_t>(size_class_for(units * kCellAlignment));
  return table;
}
constexpr auto kClassBySize = build_table();
}  // namespace

std::uint32_t size_class_lookup(std::size_t bytes) {
  return kClassBySize[(bytes + kCellAlignment - 1) / kCellAlignment];
}

}  // namespace tandem::detail
