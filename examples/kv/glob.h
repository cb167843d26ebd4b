#pragma once
// Patterns of keys.
#include <string_view>

namespace kv {

/// Does the pattern match all of `text`? * any bytes, ? one byte, [abc] [a-z] [^a] sets, \ takes the next byte
/// literally. Takes time in proportion to both lengths multiplied at most, and no stack.
bool matches_glob(std::string_view pattern, std::string_view text);

}  // namespace kv
