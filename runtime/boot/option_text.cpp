// Plain values from and to text, and the kinds of fields that are no templates.
#include <cmath>
#include <limits>
#include <optional>
#include <system_error>

#include "runtime/boot/option_kinds.h"

namespace tandem::boot {

namespace {

// The digits at the start of `text`, which is left with what follows them; nothing when there are none or too
// many.
std::optional<std::uint64_t> take_digits(std::string_view& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

std::string range_text(const std::string& least, const std::string& most, const char* zero) {
  std::string text = "from " + least + " to " + most;
  if (zero != nullptr) text += std::string(", or 0 (") + zero + ")";
  return text;
}

constexpr struct {
  char suffix;
  unsigned shift;
} kByteUnits[] = {{'G', 30}, {'M', 20}, {'K', 10}};

}  // namespace

bool read_bytes(std::string_view text, std::uint64_t& value) {
  const std::optional<std::uint64_t> digits = take_digits(text);
  if (!digits) return false;
  value = *digits;
  if (text.empty()) return true;
  for (const auto [suffix, shift] : kByteUnits) {
    if (text != std::string_view(&suffix, 1)) continue;
    if (*digits > std::numeric_limits<std::uint64_t>::max() >> shift) return false;
    value = *digits << shift;
    return true;
  }
  return false;
}

bool read_milliseconds(std::string_view text, std::int64_t& value) {
  const std::optional<std::uint64_t> digits = take_digits(text);
  if (!digits || (!text.empty() && text != "ms" && text != "s")) return false;
  const std::uint64_t factor = text == "s" ? 1000 : 1;
  if (*digits > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / factor) return false;
  value = static_cast<std::int64_t>(*digits * factor);
  return true;
}

bool read_switch(std::string_view text, bool& value) {
  const bool on = text == "on" || text == "1";
  if (!on && text != "off" && text != "0") return false;
  value = on;
  return true;
}

bool read_number(std::string_view text, double& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && std::isfinite(value);
}

std::string bytes_text(std::uint64_t bytes) {
  for (const auto [suffix, shift] : kByteUnits)
    if (bytes != 0 && bytes % (std::uint64_t{1} << shift) == 0) return std::to_string(bytes >> shift) + suffix;
  return std::to_string(bytes);
}

std::string milliseconds_text(std::int64_t milliseconds) {
  return milliseconds != 0 && milliseconds % 1000 == 0 ? std::to_string(milliseconds / 1000) + "s"
                                                       : std::to_string(milliseconds) + "ms";
}

// The shortest text that reads back to the same number, whatever the locale.
std::string number_text(double value) {
  char text[32];
  const auto [end, error] = std::to_chars(text, text + sizeof text, value);
  return error == std::errc{} ? std::string(text, end) : std::string("?");
}

// -- BytesOption

bool BytesOption::parse(std::string_view text, Options& options) const { return read_bytes(text, options.*field_); }

std::string BytesOption::complaint(const Options& options) const {
  const std::uint64_t bytes = options.*field_;
  const bool allowed = (bytes >= least_ && bytes <= most_) || (bytes == 0 && zero_ != nullptr);
  return allowed ? std::string() : expectation();
}

std::string BytesOption::expectation() const {
  return "expected bytes (suffixes K, M, G) " + range_text(bytes_text(least_), bytes_text(most_), zero_);
}

std::string BytesOption::text(const Options& options) const { return bytes_text(options.*field_); }

// -- DurationOption

bool DurationOption::parse(std::string_view text, Options& options) const {
  std::int64_t milliseconds = 0;
  if (!read_milliseconds(text, milliseconds)) return false;
  options.*field_ = Milliseconds(milliseconds);
  return true;
}

std::string DurationOption::complaint(const Options& options) const {
  const std::int64_t milliseconds = (options.*field_).count();
  return milliseconds >= least_ms_ && milliseconds <= most_ms_ ? std::string() : expectation();
}

std::string DurationOption::expectation() const {
  std::string text =
      "expected a duration (ms or s) from " + milliseconds_text(least_ms_) + " to " + milliseconds_text(most_ms_);
  return zero_ == nullptr ? text : text + " (0: " + zero_ + ")";
}

std::string DurationOption::text(const Options& options) const { return milliseconds_text((options.*field_).count()); }

// -- ShareOption

bool ShareOption::parse(std::string_view text, Options& options) const { return read_number(text, options.*field_); }

std::string ShareOption::complaint(const Options& options) const {
  const double value = options.*field_;
  return value >= least_ && value <= most_ ? std::string() : expectation();  // so that a NaN is refused too
}

std::string ShareOption::expectation() const {
  return "expected a number from " + number_text(least_) + " to " + number_text(most_);
}

std::string ShareOption::text(const Options& options) const { return number_text(options.*field_); }

// -- SwitchOption

bool SwitchOption::parse(std::string_view text, Options& options) const { return read_switch(text, options.*field_); }

std::string SwitchOption::complaint(const Options&) const { return {}; }

std::string SwitchOption::expectation() const { return "expected on or off"; }

std::string SwitchOption::text(const Options& options) const { return options.*field_ ? "on" : "off"; }

// -- PathOption

bool PathOption::parse(std::string_view text, Options& options) const {
  options.*field_ = text;
  return true;
}

// options_as_text() has a line for each option.
std::string PathOption::complaint(const Options& options) const {
  return (options.*field_).find_first_of(std::string_view("\0\n", 2)) == std::string::npos ? std::string()
                                                                                           : expectation();
}

std::string PathOption::expectation() const { return "expected the path of a file, in one line, or nothing (none)"; }

std::string PathOption::text(const Options& options) const { return options.*field_; }

}  // namespace tandem::boot
