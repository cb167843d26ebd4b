#include "examples/kv/request_parser.h"

#include <algorithm>
#include <optional>

#include "examples/kv/integer.h"
#include "examples/kv/words.h"

namespace kv {

namespace {

constexpr std::size_t kHeaderBytesMax = 32;      // a sign, 19 digits, a line end: with room to spare
constexpr std::size_t kWordsKept = 64;           // capacity that a parser keeps from one request to the next
constexpr std::size_t kUnquotedBytesKept = 512;  // likewise

enum class Line : std::uint8_t { kWhole, kIncomplete, kTooLong, kBadEnd };

/// The line that `input` begins with, without its end.
Line header_line(std::string_view input, std::string_view& line) {
  const std::string_view window = input.substr(0, kHeaderBytesMax);
  const std::size_t end = window.find('\r');
  if (end == std::string_view::npos) return input.size() < kHeaderBytesMax ? Line::kIncomplete : Line::kTooLong;
  if (end + 1 >= input.size()) return Line::kIncomplete;
  line = input.substr(0, end);
  return input[end + 1] == '\n' ? Line::kWhole : Line::kBadEnd;
}

/// The number behind the line's first character, from `least` to `most`.
std::optional<std::size_t> count_in(std::string_view line, std::int64_t least, std::size_t most) {
  const std::optional<std::int64_t> count = parse_integer(line.substr(1));
  if (!count || *count < least || *count > static_cast<std::int64_t>(most)) return std::nullopt;
  return static_cast<std::size_t>(std::max<std::int64_t>(*count, 0));
}

}  // namespace

RequestParser::Status RequestParser::fail(std::string message) {
  error_ = "Protocol error: " + std::move(message);
  return Status::kError;
}

void RequestParser::start_anew() {
  at_ = At::kStart;
  position_ = 0;
  words_.clear();
  if (words_.capacity() > kWordsKept) words_.shrink_to_fit();
  unquoted_.clear();
  if (unquoted_.capacity() > kUnquotedBytesKept) unquoted_.shrink_to_fit();
}

RequestParser::Status RequestParser::parse(std::string_view input) {
  if (at_ == At::kEnd) start_anew();
  base_ = input.data();
  if (at_ == At::kStart) {
    if (input.empty()) return Status::kIncomplete;
    if (input.front() != '*') return parse_inline(input);
    const Status status = parse_array_header(input);
    if (status != Status::kComplete) return status;
  }
  while (words_left_ != 0) {
    const Status status = parse_bulk(input);
    if (status != Status::kComplete) return status;
  }
  at_ = At::kEnd;
  return Status::kComplete;
}

RequestParser::Status RequestParser::parse_array_header(std::string_view input) {
  std::string_view line;
  switch (header_line(input, line)) {
    case Line::kIncomplete: return Status::kIncomplete;
    case Line::kTooLong: return fail("too big mbulk count string");
    case Line::kBadEnd: return fail("expected a line feed after a carriage return");
    case Line::kWhole: break;
  }
  const std::optional<std::size_t> count = count_in(line, INT32_MIN, kArgumentsMax);  // negative: an empty request
  if (!count) return fail("invalid multibulk length");
  words_left_ = *count;
  position_ = line.size() + 2;
  at_ = At::kBulkHeader;
  return Status::kComplete;
}

RequestParser::Status RequestParser::parse_bulk(std::string_view input) {
  if (at_ == At::kBulkHeader) {
    const std::string_view rest = input.substr(position_);
    if (rest.empty()) return Status::kIncomplete;
    if (rest.front() != '$') {
      const bool is_line_end = rest.front() == '\r' || rest.front() == '\n';  // which would end the error's line
      return fail(std::string("expected '$', got '") + (is_line_end ? ' ' : rest.front()) + "'");
    }
    std::string_view line;
    switch (header_line(rest, line)) {
      case Line::kIncomplete: return Status::kIncomplete;
      case Line::kTooLong: return fail("too big bulk count string");
      case Line::kBadEnd: return fail("expected a line feed after a carriage return");
      case Line::kWhole: break;
    }
    const std::optional<std::size_t> bytes = count_in(line, 0, kBulkBytesMax);
    if (!bytes) return fail("invalid bulk length");
    position_ += line.size() + 2;
    if (position_ + *bytes > kRequestBytesMax) return fail("too big a request");
    bulk_bytes_ = *bytes;
    at_ = At::kBulkBody;
  }
  if (input.size() - position_ < bulk_bytes_ + 2) return Status::kIncomplete;
  const std::size_t end = position_ + bulk_bytes_;
  if (input[end] != '\r' || input[end + 1] != '\n') return fail("a bulk string is longer than announced");
  words_.push_back({position_, bulk_bytes_});
  position_ = end + 2;
  --words_left_;
  at_ = At::kBulkHeader;
  return Status::kComplete;
}

RequestParser::Status RequestParser::parse_inline(std::string_view input) {
  const std::size_t end = input.substr(0, kInlineBytesMax).find('\n');
  if (end == std::string_view::npos)
    return input.size() < kInlineBytesMax ? Status::kIncomplete : fail("too big inline request");
  std::string_view line = input.substr(0, end);
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (!split_words(line, unquoted_, words_)) return fail("unbalanced quotes in request");
  base_ = unquoted_.data();
  position_ = end + 1;
  at_ = At::kEnd;
  return Status::kComplete;
}

}  // namespace kv
