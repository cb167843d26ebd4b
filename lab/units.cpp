#include "lab/units.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <span>

namespace lab {
namespace {

struct Scale {
  double factor;
  const char* suffix;  // with the blank that separates it, if it has one
};

constexpr std::array kCounts{Scale{1, ""}, Scale{1e3, "k"}, Scale{1e6, "M"}, Scale{1e9, "G"}};
constexpr std::array kBytes{Scale{1, " B"}, Scale{1024.0, " KiB"}, Scale{1024.0 * 1024, " MiB"},
                            Scale{1024.0 * 1024 * 1024, " GiB"}};
constexpr std::array kTimes{Scale{1, " ns"}, Scale{1e3, " µs"}, Scale{1e6, " ms"}, Scale{1e9, " s"}};
constexpr std::array kShare{Scale{0.01, "%"}};
constexpr std::array kPlain{Scale{1, ""}};

std::span<const Scale> scales_of(Unit unit) {
  switch (unit) {
    case Unit::count: return kCounts;
    case Unit::bytes: return kBytes;
    case Unit::nanoseconds: return kTimes;
    case Unit::share: return kShare;
    case Unit::plain: return kPlain;
  }
  return kPlain;
}

// Three significant digits; the scale above takes over at 999.5, which would be rounded to "1000".
const Scale& scale_for(double value, Unit unit) {
  const auto scales = scales_of(unit);
  std::size_t chosen = 0;
  while (chosen + 1 < scales.size() && std::abs(value) >= 0.9995 * scales[chosen + 1].factor) ++chosen;
  return scales[chosen];
}

std::string digits(double value, const Scale& scale, Unit unit) {
  const double scaled = value / scale.factor;
  const bool whole = unit == Unit::plain || (scale.factor == 1 && scaled == std::floor(scaled));
  if (whole) return fmt::format("{:.0f}", scaled);
  if (unit == Unit::share) return fmt::format("{:.1f}", scaled);
  const double magnitude = std::abs(scaled);
  return fmt::format("{:.{}f}", scaled, magnitude < 9.995 ? 2 : magnitude < 99.95 ? 1 : 0);
}

}  // namespace

std::string format_value(double value, Unit unit) {
  const Scale& scale = scale_for(value, unit);
  return digits(value, scale, unit) + scale.suffix;
}

std::string format_spread(double low, double high, Unit unit) {
  const Scale& scale = scale_for(high, unit);
  const bool same = low == 0 || &scale_for(low, unit) == &scale;
  const std::string left = low == 0 ? "0" : same ? digits(low, scale, unit) : format_value(low, unit);
  return left + ".." + digits(high, scale, unit) + scale.suffix;
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  for (const char byte : text) width += (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
  return width;
}

}  // namespace lab
