#include "examples/kv/request_parser.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace kv {
namespace {

using Status = RequestParser::Status;

std::vector<std::string> words_of(const RequestParser& parser) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < parser.arguments().size(); ++i) words.emplace_back(parser.arguments()[i]);
  return words;
}

TEST(RequestParser, FindsRequestsOneBehindTheOther) {
  const std::string stream = "*2\r\n$3\r\nGET\r\n$3\r\na\r\n\r\nPING\r\n*0\r\n*-1\r\n";
  RequestParser parser;
  std::vector<std::vector<std::string>> found;
  for (std::string_view rest = stream; !rest.empty(); rest.remove_prefix(parser.consumed())) {
    ASSERT_EQ(parser.parse(rest), Status::kComplete);
    found.push_back(words_of(parser));
  }
  EXPECT_EQ(found, (std::vector<std::vector<std::string>>{{"GET", "a\r\n"}, {"PING"}, {}, {}}));
}

TEST(RequestParser, GoesOnWhereItWasWhenTheBytesHaveMoved) {
  const std::string request = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$10\r\n0123456789\r\n";
  RequestParser parser;
  for (std::size_t size = 0; size < request.size(); ++size) {
    const std::string elsewhere = request.substr(0, size);
    ASSERT_EQ(parser.parse(elsewhere), Status::kIncomplete) << size;
  }
  ASSERT_EQ(parser.parse(request), Status::kComplete);
  EXPECT_EQ(words_of(parser), (std::vector<std::string>{"SET", "k", "0123456789"}));
  EXPECT_EQ(parser.consumed(), request.size());
}

TEST(RequestParser, SplitsLinesAsRedisDoes) {
  RequestParser parser;
  ASSERT_EQ(parser.parse("  a\t\"b \\x41\\n\\\"\" 'c\\' \\n' x\"y\"  \r\n"), Status::kComplete);
  EXPECT_EQ(words_of(parser), (std::vector<std::string>{"a", "b A\n\"", "c' \\n", "xy"}));
  for (const char* line : {"\"a\n", "'a\n", "\"a\"b\n", "a\"\n", "'\\'\n"}) {
    RequestParser another;
    EXPECT_EQ(another.parse(line), Status::kError) << line;
    EXPECT_EQ(another.error(), "Protocol error: unbalanced quotes in request");
  }
}

TEST(RequestParser, RefusesWhatIsBeyondItsLimits) {
  for (const std::string& stream :
       {"*" + std::to_string(RequestParser::kArgumentsMax + 1) + "\r\n",
        "*1\r\n$" + std::to_string(RequestParser::kBulkBytesMax + 1) + "\r\n", std::string("*9223372036854775808\r\n"),
        std::string("*1\r\n$9223372036854775808\r\n"), std::string(40, '*'), "*1\r\n$" + std::string(40, '1'),
        std::string(RequestParser::kInlineBytesMax, 'a')}) {
    RequestParser parser;
    EXPECT_EQ(parser.parse(stream), Status::kError) << stream.substr(0, 30);
    EXPECT_TRUE(parser.error().starts_with("Protocol error: ")) << parser.error();
  }
  RequestParser parser;
  EXPECT_EQ(parser.parse("*2\r\n$" + std::to_string(RequestParser::kBulkBytesMax) + "\r\n"), Status::kIncomplete);
}

}  // namespace
}  // namespace kv
