#pragma once
// Requests of the Redis protocol: arrays of bulk strings, or lines of words as one types them ("inline").
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kv {

/// The words of a request, the command's name first. Views of the parser's input.
class Arguments {
 public:
  struct Range {
    std::size_t offset, size;
  };
  Arguments(const char* base, std::span<const Range> ranges) : base_(base), ranges_(ranges) {}

  std::size_t size() const { return ranges_.size(); }
  std::string_view operator[](std::size_t index) const { return {base_ + ranges_[index].offset, ranges_[index].size}; }

 private:
  const char* base_;
  std::span<const Range> ranges_;
};

/// Incremental: what has been understood is not looked at again when more arrives. Its memory follows the number of
/// arguments that have arrived, not the number announced. Knows nothing of connections; one goroutine at a time.
class RequestParser {
 public:
  enum class Status : std::uint8_t { kIncomplete, kComplete, kError };

  static constexpr std::size_t kArgumentsMax = std::size_t{1} << 20;
  static constexpr std::size_t kBulkBytesMax = std::size_t{512} << 20;
  static constexpr std::size_t kInlineBytesMax = std::size_t{64} << 10;
  /// Of one request: its largest argument and some more.
  static constexpr std::size_t kRequestBytesMax = kBulkBytesMax + (std::size_t{16} << 20);

  /// `input` begins where the last request ended. Incomplete: call again with the same bytes, wherever they lie then,
  /// and more of them. Error: the stream cannot be understood any more.
  Status parse(std::string_view input);

  /// After kComplete: the bytes that the request took; its words, none for an empty request.
  std::size_t consumed() const { return position_; }
  Arguments arguments() const { return {base_, words_}; }
  /// After kError: what is wrong.
  const std::string& error() const { return error_; }

 private:
  Status parse_array_header(std::string_view input);
  Status parse_bulk(std::string_view input);
  Status parse_inline(std::string_view input);
  Status fail(std::string message);
  void start_anew();

  enum class At : std::uint8_t { kStart, kBulkHeader, kBulkBody, kEnd };

  At at_ = At::kStart;
  std::size_t position_ = 0;    // what has been understood of the request
  std::size_t words_left_ = 0;  // of the array
  std::size_t bulk_bytes_ = 0;  // of the argument that is due
  const char* base_ = nullptr;  // what words_ are relative to
  std::vector<Arguments::Range> words_;
  std::string unquoted_;  // the words of an inline request
  std::string error_;
};

}  // namespace kv
