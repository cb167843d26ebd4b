#pragma once
// Figures as people read them. Every function gives at most seven columns, so that tables stay narrow.
#include <string>
#include <string_view>

namespace lab {

enum class Unit { plain, count, bytes, nanoseconds, share };

// plain: "12"; count: "12.3k"; bytes: "1.50 MiB"; nanoseconds: "4.56 ms"; share (0.25): "25.0%".
std::string format_value(double value, Unit unit);

// "a..b", with the unit named once where both ends have the same: "1.50..1.75 MiB".
std::string format_spread(double low, double high, Unit unit);

// Columns on a terminal: code points, because the figures contain "µ" and nothing wider.
std::size_t display_width(std::string_view text);

}  // namespace lab
