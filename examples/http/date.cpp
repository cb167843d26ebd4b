#include "examples/http/date.h"

#include <algorithm>
#include <ctime>

namespace http {

namespace {

constexpr std::string_view kDays = "SunMonTueWedThuFriSat";
constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";

char* put(char* to, std::string_view text) { return std::copy(text.begin(), text.end(), to); }
char* put_two_digits(char* to, unsigned number) {
  *to++ = static_cast<char>('0' + number / 10 % 10);
  *to++ = static_cast<char>('0' + number % 10);
  return to;
}

}  // namespace

// The clock of time() has no more than the seconds that are needed, and costs a fraction of one that has.
std::string_view Date::now() { return at(std::chrono::sys_seconds(std::chrono::seconds(std::time(nullptr)))); }

// Sun, 06 Nov 1994 08:49:37 GMT, in English whatever the locale.
std::string_view Date::at(std::chrono::sys_seconds time) {
  const std::string_view text(text_.data(), text_.size());
  if (time == time_) return text;
  time_ = time;
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  char* to = put(text_.data(), kDays.substr(3 * std::chrono::weekday(day).c_encoding(), 3));
  to = put_two_digits(put(to, ", "), static_cast<unsigned>(date.day()));
  to = put(put(to, " "), kMonths.substr(3 * (static_cast<unsigned>(date.month()) - 1), 3));
  const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
  to = put_two_digits(put_two_digits(put(to, " "), year / 100), year);
  to = put_two_digits(put(to, " "), static_cast<unsigned>(clock.hours().count()));
  to = put_two_digits(put(to, ":"), static_cast<unsigned>(clock.minutes().count()));
  to = put_two_digits(put(to, ":"), static_cast<unsigned>(clock.seconds().count()));
  put(to, " GMT");
  return text;
}

}  // namespace http
