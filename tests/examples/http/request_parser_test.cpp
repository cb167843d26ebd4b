#include "examples/http/request_parser.h"

#include <gtest/gtest.h>

#include <string>

namespace http {
namespace {

using Status = RequestParser::Status;

// A client that adds field after field must not get past the limit although each is consumed at once.
TEST(HttpRequestParser, CountsTheHeadThatItHasLetGo) {
  RequestParser parser({.head_bytes = 200, .body_bytes = 100});
  std::string input = "GET / HTTP/1.1\r\nHost: a\r\n";
  Status status = parser.parse(input);
  std::size_t sent = input.size();
  while (status == Status::kIncomplete && sent < 1000) {
    input.erase(0, parser.consumed());
    input += "Field: value\r\n";
    sent += 14;
    status = parser.parse(input);
  }
  EXPECT_EQ(status, Status::kError);
  EXPECT_EQ(parser.error_status(), 431);
  EXPECT_LT(sent, 230u);
}

TEST(HttpRequestParser, TheLimitIsForTheHeadAsAWhole) {
  const std::string longer =
      "GET /" + std::string(100, 'a') + " HTTP/1.1\r\nHost: " + std::string(100, 'b') + "\r\n\r\n";
  RequestParser parser({.head_bytes = longer.size(), .body_bytes = 0});
  EXPECT_EQ(parser.parse(longer), Status::kComplete);
  RequestParser stricter({.head_bytes = longer.size() - 1, .body_bytes = 0});
  EXPECT_EQ(stricter.parse(longer), Status::kError);
  EXPECT_EQ(stricter.error_status(), 431);
}

TEST(HttpRequestParser, FindsRequestsOneBehindTheOther) {
  const std::string stream =
      "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
      "POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2;e\r\nde\r\n1\r\nf\r\n0\r\nT: v\r\n\r\n"
      "GET /c HTTP/1.0\r\n\r\n";
  RequestParser parser;
  std::string found;
  for (std::string_view rest = stream; !rest.empty(); rest.remove_prefix(parser.consumed())) {
    ASSERT_EQ(parser.parse(rest), Status::kComplete);
    found += parser.request().target() + parser.request().body() + (parser.request().keep_alive() ? " " : ".");
  }
  EXPECT_EQ(found, "/aabc /bdef /c.");
}

TEST(HttpRequestParser, AChunkedBodyMayComeByteByByte) {
  const std::string head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::string body :
       {"0\r\n\r\n", "0\r\nT: v\r\n\r\n", "1\r\na\r\n0\r\n\r\n", "1\r\na\r\n2\r\nbc\r\n0\r\nT: v\r\n\r\n"}) {
    RequestParser parser;
    std::string input;
    Status status = Status::kIncomplete;
    for (const char byte : head + body) {
      ASSERT_EQ(status, Status::kIncomplete) << body;
      input += byte;
      status = parser.parse(input);
      input.erase(0, parser.consumed());
    }
    EXPECT_EQ(status, Status::kComplete) << body;
    EXPECT_EQ(input, "");
  }
}

TEST(HttpRequestParser, AnExpectationIsTakenOnce) {
  RequestParser parser;
  ASSERT_EQ(parser.parse("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\n"),
            Status::kIncomplete);
  EXPECT_TRUE(parser.is_within_request());
  EXPECT_TRUE(parser.request().take_expectation());
  EXPECT_FALSE(parser.request().take_expectation());
}

}  // namespace
}  // namespace http
