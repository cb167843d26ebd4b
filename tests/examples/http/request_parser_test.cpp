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

TEST(HttpRequestParser, EmptyLinesBeforeARequestAreSkipped) {
  const std::string stream = "\r\nGET /a HTTP/1.1\r\nHost: x\r\n\r\n\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n\r\n\r";
  for (const std::size_t step : {std::size_t{1}, stream.size()}) {
    RequestParser parser;
    std::string input, found;
    for (std::size_t at = 0; at < stream.size(); at += step) {
      input += stream.substr(at, step);
      Status status;
      while ((status = parser.parse(input)) == Status::kComplete) {
        input.erase(0, parser.consumed());
        found += parser.request().target();
      }
      ASSERT_EQ(status, Status::kIncomplete);
      input.erase(0, parser.consumed());
    }
    EXPECT_EQ(found, "/a/b");
    EXPECT_EQ(input, "\r");
    EXPECT_FALSE(parser.is_within_request());
    EXPECT_EQ(parser.parse("\rx"), Status::kError);
  }
}

TEST(HttpRequestParser, KnowsNoEncodingButChunks) {
  for (const auto& [fields, status] : {std::pair<std::string, int>{"Transfer-Encoding: gzip", 501},
                                       {"Transfer-Encoding: gzip, chunked", 501},
                                       {"Transfer-Encoding: chunked, gzip", 501},
                                       {"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked", 501},
                                       {"Transfer-Encoding: chunked;q=1", 501},
                                       {"Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip", 400},
                                       {"Content-Length: 1\r\nTransfer-Encoding: chunked", 400}}) {
    RequestParser parser;
    EXPECT_EQ(parser.parse("POST / HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n\r\n"), Status::kError) << fields;
    EXPECT_EQ(parser.error_status(), status) << fields;
  }
  RequestParser parser;
  EXPECT_EQ(parser.parse("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\tCHUNKED \r\n\r\n0\r\n\r\n"),
            Status::kComplete);
}

TEST(HttpRequestParser, AClientOfTheOldVersionExpectsNothing) {
  RequestParser parser;
  ASSERT_EQ(parser.parse("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"), Status::kIncomplete);
  EXPECT_TRUE(parser.is_within_request());
  EXPECT_FALSE(parser.request().take_expectation());
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
