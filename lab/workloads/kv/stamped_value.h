#pragma once
// Keys, and values that say whose they are: a value is a stamp, which names its key and the write that set it, repeated
// up to the value's size. So an answer can be checked to its last byte without keeping what was written.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace lab::kv_load {

inline constexpr std::size_t kStampBytes = 24;  // the smallest value

// "key:0000000042"
std::string key_name(std::uint32_t key);

// The value that write number `write` gives to `key`; 0 is what the store was filled with. At least kStampBytes.
std::string stamped_value(std::uint32_t key, std::uint32_t write, std::size_t bytes);

bool is_stamped_value(std::string_view value, std::uint32_t key, std::uint32_t write, std::size_t bytes);

}  // namespace lab::kv_load
