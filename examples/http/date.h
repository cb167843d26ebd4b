#pragma once
// The field Date of an answer.
#include <array>
#include <chrono>
#include <string_view>

namespace http {

/// The time as answers tell it, put together anew when the second is another one. One for each connection: nothing is
/// shared.
class Date {
 public:
  /// Valid until the next call.
  std::string_view now();
  std::string_view at(std::chrono::sys_seconds time);

 private:
  std::chrono::sys_seconds time_ = std::chrono::sys_seconds::min();  // that the text tells
  std::array<char, 29> text_;
};

}  // namespace http
