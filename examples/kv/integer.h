#pragma once
// Integers as Redis reads and writes them.
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

namespace kv {

/// Only what printing an integer of 64 bits gives: no sign +, no leading zeros, no blanks.
inline std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  const std::string_view digits = text.substr(text.front() == '-');
  if (digits.front() == '0' && text.size() > 1) return std::nullopt;
  return value;
}

/// An integer's text, without an allocation.
class IntegerText {
 public:
  explicit IntegerText(std::int64_t value)
      : end_(std::to_chars(text_.data(), text_.data() + text_.size(), value).ptr) {}
  std::string_view view() const { return {text_.data(), static_cast<std::size_t>(end_ - text_.data())}; }
  IntegerText(const IntegerText&) = delete;
  IntegerText& operator=(const IntegerText&) = delete;

 private:
  std::array<char, 20> text_;
  const char* end_;
};

}  // namespace kv
