#include "lab/workloads/kv/stamped_value.h"

#include <fmt/format.h>

#include <algorithm>

namespace lab::kv_load {
namespace {

std::string stamp(std::uint32_t key, std::uint32_t write) { return fmt::format("k{:010}:w{:010} ", key, write); }

}  // namespace

std::string key_name(std::uint32_t key) { return fmt::format("key:{:010}", key); }

std::string stamped_value(std::uint32_t key, std::uint32_t write, std::size_t bytes) {
  std::string value = stamp(key, write);
  value.reserve(bytes);
  while (value.size() < bytes) value.append(value, 0, std::min(value.size(), bytes - value.size()));
  return value;
}

// What repeats itself equals itself moved by one stamp.
bool is_stamped_value(std::string_view value, std::uint32_t key, std::uint32_t write, std::size_t bytes) {
  return value.size() == bytes && value.starts_with(stamp(key, write)) &&
         value.substr(kStampBytes) == value.substr(0, bytes - kStampBytes);
}

}  // namespace lab::kv_load
