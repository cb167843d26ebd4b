#include "examples/http/date.h"

#include <gtest/gtest.h>

#include <string>

namespace http {
namespace {

std::string at(Date& date, std::int64_t seconds) {
  return std::string(date.at(std::chrono::sys_seconds(std::chrono::seconds(seconds))));
}

TEST(HttpDate, IsWrittenAsTheStandardWants) {
  Date date;
  EXPECT_EQ(at(date, 784111777), "Sun, 06 Nov 1994 08:49:37 GMT");  // the example of RFC 9110, 5.6.7
  EXPECT_EQ(at(date, 0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(at(date, 951782399), "Mon, 28 Feb 2000 23:59:59 GMT");
  EXPECT_EQ(at(date, 951782400), "Tue, 29 Feb 2000 00:00:00 GMT");
  EXPECT_EQ(at(date, 951782400), "Tue, 29 Feb 2000 00:00:00 GMT");
  EXPECT_EQ(at(date, 4102444799), "Thu, 31 Dec 2099 23:59:59 GMT");
}

}  // namespace
}  // namespace http
